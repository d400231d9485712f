import fc from "fast-check";
import { expect, it } from "vitest";
import { asJson, inOrderOfTime } from "./merge.ts";

const line = (at: number, msg: string) => JSON.stringify({ time: new Date(at).toISOString(), msg });

it("puts lines of several services in order of time, and stacks behind what they belong to", () => {
  const eu = ["Node warns", line(1_000, "one"), line(3_000, "three"), "    at stack (file.js:1)"];
  const router = [line(2_000, "two"), line(3_500, "four")];
  expect(
    inOrderOfTime([
      { service: "eu", lines: eu },
      { service: "router", lines: router },
    ]),
  ).toEqual([
    { service: "eu", text: eu[0] },
    { service: "eu", text: eu[1] },
    { service: "router", text: router[0] },
    { service: "eu", text: eu[2] },
    { service: "eu", text: eu[3] },
    { service: "router", text: router[1] },
  ]);
});

it("loses no line, and changes no service's own order", () => {
  const times = fc.array(fc.nat(50)).map((all) => all.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(times, times, (a, b) => {
      const logs = [a, b].map((all, n) => ({
        service: `s${n}`,
        lines: all.map((at, m) => line(at, `${n}-${m}`)),
      }));
      const merged = inOrderOfTime(logs);
      for (const { service, lines } of logs)
        expect(merged.filter((l) => l.service === service).map((l) => l.text)).toEqual(lines);
      const all = merged.map(({ text }) => text.slice(0, 36));
      expect(all).toEqual(all.toSorted());
    }),
  );
});

it.each([
  ['{"msg":"hello"}', '{"log":"eu","msg":"hello"}'],
  ["plain text", '{"log":"eu","text":"plain text"}'],
  ["[1]", '{"log":"eu","text":"[1]"}'],
])("shows %s as JSON", (text, json) => {
  expect(asJson({ service: "eu", text })).toBe(json);
});
