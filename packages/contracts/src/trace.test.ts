import { expect, test } from "vitest";
import { randomHex, readTraceparent, traceId, writeTraceparent } from "./trace.ts";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const span = "00f067aa0ba902b7";

test.each([
  ["sampled", `00-${trace}-${span}-01`, true],
  ["not sampled", `00-${trace}-${span}-00`, false],
  ["sampled, with a flag of level 2", `00-${trace}-${span}-03`, true],
  ["a flag of level 2 alone", `00-${trace}-${span}-02`, false],
  ["letters in the flags", `00-${trace}-${span}-ab`, true],
  ["a later version", `01-${trace}-${span}-01`, true],
  ["a later version that carries more", `cc-${trace}-${span}-00-what-the-future-brings`, false],
])("reads a traceparent: %s", (_, value, sampled) => {
  expect(readTraceparent(value)).toEqual({ traceId: trace, spanId: span, sampled });
});

test.each([
  ["none", undefined],
  ["an empty one", ""],
  ["a trace of zeros", `00-${"0".repeat(32)}-${span}-01`],
  ["a span of zeros", `00-${trace}-${"0".repeat(16)}-01`],
  ["capitals", `00-${trace.toUpperCase()}-${span}-01`],
  ["version ff", `ff-${trace}-${span}-01`],
  ["more than version 00 has", `00-${trace}-${span}-01-more`],
  ["more without a dash", `01-${trace}-${span}-01more`],
  ["a short id", `00-${trace.slice(1)}-${span}-01`],
  ["two headers as one", `00-${trace}-${span}-01, 00-${trace}-${span}-01`],
  ["something giant", `01-${trace}-${span}-01-${"x".repeat(10_000)}`],
  ["a line end", `01-${trace}-${span}-01-a\r\nx: y`],
  ["a zero byte", `00-${trace}-${span}-01\u0000`],
])("does not read %s", (_, value) => {
  expect(readTraceparent(value)).toBeUndefined();
});

test("what is written is read again, and random ids can be written", () => {
  for (const sampled of [true, false]) {
    const made = { traceId: randomHex(16), spanId: randomHex(8), sampled };
    expect(traceId.safeParse(made.traceId).success).toBe(true);
    expect(readTraceparent(writeTraceparent(made))).toEqual(made);
  }
});

test.each("0123456789abcdef".split(""))("is sampled by the lowest bit of its flags: %s", (digit) => {
  const odd = Number.parseInt(digit, 16) % 2 === 1;
  expect(readTraceparent(`00-${trace}-${span}-0${digit}`)?.sampled).toBe(odd);
});
