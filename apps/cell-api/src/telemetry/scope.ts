import { AsyncLocalStorage } from "node:async_hooks";

/** The work that a process does for one request, or in one step of its own: every line written in it names it. */
export interface Scope {
  /** 32 hexadecimal digits, as in `traceparent`. */
  traceId: string;
  /** Absent in work that nobody requested. */
  requestId?: string;
  /** 16 hexadecimal digits: the span of this work, when it is recorded. */
  spanId?: string;
}

const scopes = new AsyncLocalStorage<Scope>();

/** Do `work` in that scope, with all that it starts. */
export function within<T>(scope: Scope, work: () => T): T {
  return scopes.run(scope, work);
}

/** The scope of whoever asks, if any. */
export function currentScope(): Scope | undefined {
  return scopes.getStore();
}

/** Fields of a log line that say what it was written for, under the names by which Google Cloud Logging finds them. */
export function scopeFields(project: string): Record<string, string | boolean> {
  const scope = currentScope();
  if (scope === undefined) return {};
  const { traceId, requestId, spanId } = scope;
  return {
    ...(requestId === undefined ? {} : { requestId }),
    traceId,
    "logging.googleapis.com/trace": `projects/${project}/traces/${traceId}`,
    ...(spanId === undefined
      ? {}
      : { "logging.googleapis.com/spanId": spanId, "logging.googleapis.com/trace_sampled": true }),
  };
}
