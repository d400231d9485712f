import { randomHex, readTraceparent, type TraceParent, writeTraceparent } from "@proveniq/contracts";

/** The caller's request id when it can stand in a log line (8 to 128 of letters, digits and `._:-`), or a new one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[A-Za-z0-9._:-]{8,128}$/.test(given) ? given : randomHex(16);
}

/** Which trace a request belongs to, and the headers that tell the cell. */
export interface Trace extends TraceParent {
  traceparent: string;
  tracestate: string | undefined;
}

/** What the standard asks everybody to carry at least. */
const longestState = 512;

/** The caller's W3C trace context unchanged, or a new, unsampled one. */
export function traceOf(traceparent: string | undefined, tracestate: string | undefined): Trace {
  const given = readTraceparent(traceparent);
  if (given !== undefined && traceparent !== undefined) {
    const carried = tracestate !== undefined && tracestate.length <= longestState ? tracestate : undefined;
    return { ...given, traceparent, tracestate: carried };
  }
  const made = { traceId: randomHex(16), spanId: randomHex(8), sampled: false };
  return { ...made, traceparent: writeTraceparent(made), tracestate: undefined };
}
