/** How work is put into traces, where the process does that. */
export interface SinkTracing {
  /** One step: a trace of its own, for its log lines. */
  step<T>(work: () => Promise<T>): Promise<T>;
  /** The part of a step that is worth recording. */
  span<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Send what is recorded. Never rejects. */
  flush(): Promise<void>;
}

/** Puts nothing anywhere. */
export const untraced: SinkTracing = {
  step: (work) => work(),
  span: (_name, work) => work(),
  flush: async () => undefined,
};
