import { z } from "zod";

/** 32 lower-case hexadecimal digits, not all zero: one request, through every process that works on it. */
export const traceId = z
  .string()
  .regex(/^[0-9a-f]{32}$/, "must be 32 lower-case hexadecimal digits")
  .refine((id) => id !== "0".repeat(32), { error: "must not be all zeros" });

/** What a `traceparent` header says: https://www.w3.org/TR/trace-context/#traceparent-header */
export interface TraceParent {
  traceId: string;
  /** 16 lower-case hexadecimal digits: the span of whoever calls. */
  spanId: string;
  /** The caller records this trace and wants others to. */
  sampled: boolean;
}

const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x20-\x7e]*)?$/;
/** A version above 00 may carry more behind; nobody needs that much of it. */
const longest = 128;

/** The value of a `traceparent` header; undefined for one that is missing, malformed, all zeros or far too long. */
export function readTraceparent(value: string | undefined): TraceParent | undefined {
  if (value === undefined || value.length > longest || !pattern.test(value)) return undefined;
  if (value.length !== 55 && value.startsWith("00")) return undefined;
  // The lowest bit of the flags: among hexadecimal digits 1, 3 … have an odd character code, b, d and f an even one.
  const digit = value.charCodeAt(54);
  const sampled = digit % 2 === (digit < 0x3a ? 1 : 0);
  return { traceId: value.slice(3, 35), spanId: value.slice(36, 52), sampled };
}

/** The `traceparent` of version 00 for what is called next, and the `traceresponse` for who called. */
export function writeTraceparent({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

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
