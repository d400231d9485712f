import { randomHex, readTraceparent, type TraceParent, writeTraceparent } from "@proveniq/contracts";

/** The caller's request id when it can stand in a log line (8 to 128 of letters, digits and `._:-`), or a new one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[A-Za-z0-9._:-]{8,128}$/.test(given) ? given : randomHex(16);
}

/** Which trace a request belongs to, and the headers that tell the cell. */
export interface Trace extends TraceParent {
  /** `spanId` is a span of ours, which we report. Otherwise it is the caller's, or nobody's. */
  recorded: boolean;
  /** The caller's span, when `spanId` is ours. */
  parentSpanId: string | undefined;
  traceparent: string;
  tracestate: string | undefined;
}

/** What the standard asks everybody to carry at least. */
const longestState = 512;

/**
 * The caller's W3C trace context, or a new one. `ratio`: how many of the traces that begin here are recorded (0 to 1);
 * undefined where no span is reported. There none is added either: a parent that nobody ever reports would tear a trace apart.
 */
export function traceOf(
  traceparent: string | undefined,
  tracestate: string | undefined,
  ratio?: number,
): Trace {
  const given = readTraceparent(traceparent);
  const carried = tracestate !== undefined && tracestate.length <= longestState ? tracestate : undefined;
  if (given !== undefined && traceparent !== undefined) {
    if (ratio === undefined || !given.sampled)
      return { ...given, recorded: false, parentSpanId: undefined, traceparent, tracestate: carried };
    const ours = { traceId: given.traceId, spanId: randomHex(8), sampled: true };
    const parentSpanId = given.spanId;
    return {
      ...ours,
      recorded: true,
      parentSpanId,
      traceparent: writeTraceparent(ours),
      tracestate: carried,
    };
  }
  const sampled = ratio !== undefined && Math.random() < ratio;
  const made = { traceId: randomHex(16), spanId: randomHex(8), sampled };
  return {
    ...made,
    recorded: sampled,
    parentSpanId: undefined,
    traceparent: writeTraceparent(made),
    tracestate: undefined,
  };
}
