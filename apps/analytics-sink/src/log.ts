/** What somebody must look at; docs/analytics.md has a paragraph for each. */
export type Alarm =
  | "page-set-aside"
  | "rows-missing"
  | "outbox-rewound"
  | "stream-lost"
  | "delivery-in-doubt"
  | "database-restored"
  | "outbox-old"
  | "sink-failing";

/** The part of pino that the sink uses. Nothing of an event's content is ever passed to it. */
export interface SinkLogger {
  info(about: object, text: string): void;
  warn(about: object, text: string): void;
  error(about: object, text: string): void;
}

/** Says nothing: for tests. */
export const silentLogger: SinkLogger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * What may be told of an error: its name, its code, and the words of our own errors and of gRPC's. Stacks and messages of
 * others could quote what was being worked on.
 */
export function tellable(error: unknown): { name: string; code?: unknown; message: string } {
  if (!(error instanceof Error)) return { name: "unknown", message: "" };
  const code = "code" in error ? error.code : undefined;
  return { name: error.name, ...(code === undefined ? {} : { code }), message: error.message.slice(0, 300) };
}
