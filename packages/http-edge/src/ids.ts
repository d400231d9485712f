import { randomHex, readTraceparent, type TraceParent, writeTraceparent } from "@proveniq/contracts";

/**
 * Needs no Node: it runs at the edge too.
 *
 * The caller's request id when it can stand in a log line (8 to 128 of letters, digits and `._:-`), or a new one.
 */
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
  if (given === undefined || traceparent === undefined) {
    const sampled = ratio !== undefined && Math.random() < ratio;
    return ours(randomHex(16), undefined, sampled, undefined);
  }
  const carried = tracestate !== undefined && tracestate.length <= longestState ? tracestate : undefined;
  const { traceId, spanId, sampled } = given;
  if (ratio !== undefined && sampled) return ours(traceId, spanId, true, carried);
  return {
    traceId,
    spanId,
    sampled,
    recorded: false,
    parentSpanId: undefined,
    traceparent,
    tracestate: carried,
  };
}

/** A trace with a new span, which is reported when it is sampled. */
function ours(
  traceId: string,
  parentSpanId: string | undefined,
  sampled: boolean,
  tracestate: string | undefined,
): Trace {
  const spanId = randomHex(8);
  const traceparent = writeTraceparent({ traceId, spanId, sampled });
  return { traceId, spanId, sampled, recorded: sampled, parentSpanId, traceparent, tracestate };
}
