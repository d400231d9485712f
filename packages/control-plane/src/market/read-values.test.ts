import { expect, test } from "vitest";
import { readValues } from "./read-values.ts";

const value = (marketKey: string, more: object = {}) => ({
  marketKey,
  currency: "USD",
  medianMinor: 2,
  p10Minor: 1,
  p90Minor: 3,
  sampleSize: 5,
  asOf: "2026-11-01",
  ...more,
});
const one = JSON.stringify(value("a"));
const two = JSON.stringify(value("b"));

async function* chunks(...parts: (string | Uint8Array)[]) {
  yield* parts;
}

test.each<[string, (string | Uint8Array)[]]>([
  ["lines", [`${one}\n${two}\n`]],
  ["lines with CRLF, blank ones and no end", [`\r\n${one}\r\n\r\n${two}`]],
  ["bytes cut anywhere", [Buffer.from(`${one}\n`).subarray(0, 5), Buffer.from(`${one}\n${two}`).subarray(5)]],
  ["an array", [`[${one},\n${two}]\n`]],
])("values come as %s", async (_name, parts) => {
  expect([...(await readValues(chunks(...parts))).keys()]).toEqual(["a", "b"]);
});

test.each<[string, (string | Uint8Array)[], RegExp]>([
  ["a line that is no JSON", [`${one}\n{"marketKey"\n`], /line 2: is not valid JSON/],
  [
    "a value out of order",
    [JSON.stringify(value("a", { medianMinor: 0 }))],
    /line 1: p10Minor must not be above/,
  ],
  ["a misspelt field", [JSON.stringify(value("a", { median: 1 }))], /line 1: median is not a known field/],
  ["a key twice", [`${one}\n${two}\n${one}`], /line 3: a has a value at line 1 already/],
  ["an array with a fault", [`[${one}, 7]`], /entry 2: it /],
  ["half an array", [`[${one},`], /the array: is not valid JSON/],
  ["nothing", ["\n \n"], /holds no value/],
  ["an empty array", ["[]"], /holds no value/],
  ["bytes that are not UTF-8", [Buffer.from([0x7b, 0xff, 0x7d])], /not UTF-8/],
])("%s: nothing is published", async (_name, parts, message) => {
  await expect(readValues(chunks(...parts))).rejects.toThrow(message);
});

test("twenty faults are told, the rest is counted", async () => {
  await expect(readValues(chunks("x\n".repeat(33)))).rejects.toThrow(/line 20:.*\n {2}and 13 more$/s);
});
