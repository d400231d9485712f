const pool = new Uint8Array(4_096);
let used = pool.length;
const hex = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, "0"));

/** `bytes` random bytes as lower-case hex, from a pool: asking the platform for every id would cost more than routing. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let text = "";
  for (let i = 0; i < bytes; i += 1) text += hex[pool[used + i] ?? 0];
  used += bytes;
  return text;
}

/** The caller's request id when it can stand in a log line (8 to 128 of letters, digits and `._:-`), or a new one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[A-Za-z0-9._:-]{8,128}$/.test(given) ? given : randomHex(16);
}

export interface Trace {
  traceId: string;
  traceparent: string;
  tracestate: string | undefined;
}

/**
 * The caller's W3C trace context unchanged, or a new, unsampled one. The router reports no span of its own, so it adds
 * none: a parent that nobody ever reports would tear the trace apart.
 */
export function traceOf(traceparent: string | undefined, tracestate: string | undefined): Trace {
  if (traceparent !== undefined && isTraceparent(traceparent)) {
    return { traceId: traceparent.slice(3, 35), traceparent, tracestate };
  }
  const traceId = randomHex(16);
  return { traceId, traceparent: `00-${traceId}-${randomHex(8)}-00`, tracestate: undefined };
}

/** Versions above 00 may carry more; `ff` and ids of only zeros are invalid. */
function isTraceparent(value: string): boolean {
  return (
    /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/.test(value) &&
    (value.length === 55 || !value.startsWith("00"))
  );
}
