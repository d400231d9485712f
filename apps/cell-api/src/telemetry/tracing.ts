import { randomHex, type TraceParent } from "@proveniq/contracts";
import { within } from "./scope.ts";

/** What is known of a request when it has been answered. */
export interface RequestFacts {
  method: string;
  /** Template of the route that answered. */
  route: string;
  status: number;
  requestId: string;
  /** Hash of the tenant's id. */
  tenant: string | undefined;
  /** The problem that it was answered with. */
  problem: string | undefined;
}

/** One request in its trace: `spanId` is ours, and recorded when `sampled`. */
export interface RequestSpan extends TraceParent {
  /** Do the work for the request; what is logged and called in it belongs to it. */
  run<T>(requestId: string, work: () => T): T;
  end(facts: RequestFacts): void;
}

/** How a process records its work. */
export interface Tracing {
  /** A request has come, with its caller's trace or without one. A `probe` is recorded only if its caller's is. */
  begin(caller: TraceParent | undefined, probe: boolean): RequestSpan;
  /** One step of work that nobody requested: a trace of its own, for its log lines. */
  step<T>(work: () => Promise<T>): Promise<T>;
  /** The part of a step that is worth recording. */
  span<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Send what is recorded, for two seconds at most. Never rejects. */
  flush(): Promise<void>;
}

/** Without a collector: every request has its trace id, and nothing is recorded. */
export const untraced: Tracing = {
  begin: (caller) => {
    const traceId = caller?.traceId ?? randomHex(16);
    return {
      traceId,
      spanId: randomHex(8),
      sampled: false,
      run: (requestId, work) => within({ traceId, requestId }, work),
      end: () => undefined,
    };
  },
  step: (work) => within({ traceId: randomHex(16) }, work),
  span: (_name, work) => work(),
  flush: async () => undefined,
};
