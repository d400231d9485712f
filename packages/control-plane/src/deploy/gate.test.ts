import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { manifest } from "../testing.ts";
import { regression } from "./gate.ts";
import { order } from "./rollout.ts";
import { between, readMetrics } from "./router-metrics.ts";
import type { Observed } from "./types.ts";

const calm: Observed = { seconds: 60, requests: 1_000, failed: 2, p95Ms: 80, ill: [] };

describe("whether a cell is worse than it was", () => {
  it.each<[string, Partial<Observed>]>([
    ["as it was", {}],
    ["a few more failures", { failed: 11 }],
    ["two failures of few requests", { requests: 20, failed: 2 }],
    ["slower, but not by much", { p95Ms: 320 }],
    ["no latency known", { p95Ms: null }],
  ])("%s: no", (_, change) => {
    expect(regression(calm, { ...calm, ...change })).toBeUndefined();
  });

  it.each<[string, Observed | undefined, Partial<Observed> | undefined, RegExp]>([
    ["nothing is known", calm, undefined, /^no data/],
    ["hardly anybody asked", calm, { requests: 9, failed: 0 }, /^no data: 9 requests/],
    ["more failures", calm, { failed: 13 }, /^errors: 13 of 1000 requests failed, and 0\.2 % before/],
    ["all fail", calm, { requests: 10, failed: 10 }, /^errors/],
    ["much slower", calm, { p95Ms: 331 }, /^latency: .* up to 331 ms, and 80 ms before/],
    ["twice as slow where it was slow", { ...calm, p95Ms: 1_000 }, { p95Ms: 2_001 }, /^latency/],
    ["a new complaint", calm, { ill: ["firestore/main: not reached"] }, /^health: firestore\/main/],
    ["never seen before, and failing", undefined, { failed: 20 }, /^errors/],
    ["never seen before, and slow", undefined, { p95Ms: 1_001 }, /^latency/],
  ])("%s: yes", (_, before, change, reason) => {
    expect(regression(before, change === undefined ? undefined : { ...calm, ...change })).toMatch(reason);
  });

  it("an old complaint in other words is no new one", () => {
    const lagging = { ...calm, ill: ["market-values: lag 61 s"] };
    expect(regression(lagging, { ...calm, ill: ["market-values: lag 70 s"] })).toBeUndefined();
  });

  it("one that was ill may stay as ill as it was: the cure must be possible", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, rate) => {
          const ill = { ...calm, requests: n, failed: Math.floor(n * rate), ill: ["sink: no answer"] };
          expect(regression(ill, ill)).toBeUndefined();
        },
      ),
    );
  });

  it("is never denied because of fewer failures, or an earlier answer", () => {
    const observed = fc.record({
      seconds: fc.constant(60),
      requests: fc.integer({ min: 10, max: 5_000 }),
      failed: fc.nat(10),
      p95Ms: fc.integer({ min: 1, max: 5_000 }),
      ill: fc.constant([] as string[]),
    });
    fc.assert(
      fc.property(observed, observed, (before, now) => {
        if (regression(before, now) !== undefined) return;
        const better = { ...now, failed: Math.max(0, now.failed - 1), p95Ms: Math.max(1, now.p95Ms - 10) };
        expect(regression(before, better)).toBeUndefined();
      }),
    );
  });
});

const metrics = (ok: number, failed: number, buckets: [string, number][], imports = 0) =>
  [
    "# TYPE router_requests_total counter",
    `router_requests_total{cell="eu",service="api",reason="placement",status="200"} ${ok}`,
    `router_requests_total{cell="eu",service="api",reason="placement",status="503"} ${failed}`,
    `router_requests_total{cell="eu",service="bulk",reason="placement",status="500"} ${imports}`,
    `router_requests_total{cell="us",service="api",reason="placement",status="500"} 99`,
    ...buckets.map(
      ([le, n]) =>
        `router_request_seconds_bucket{cell="eu",service="api",reason="placement",le="${le}"} ${n}`,
    ),
  ].join("\n");

describe("what a router counts", () => {
  const before = readMetrics(
    metrics(100, 1, [
      ["0.1", 101],
      ["0.5", 101],
      ["+Inf", 101],
    ]),
    "eu",
  );

  it("is told by cell and between two readings, latency within its bucket", () => {
    const after = readMetrics(
      metrics(190, 11, [
        ["0.1", 191],
        ["0.5", 201],
        ["+Inf", 201],
      ]),
      "eu",
    );
    expect(between(before, after)).toEqual({ requests: 100, failed: 10, p95Ms: expect.closeTo(300) });
  });

  it("counts what imports answer, and takes no latency from them", () => {
    const after = readMetrics(
      metrics(
        110,
        1,
        [
          ["0.1", 111],
          ["+Inf", 111],
        ],
        40,
      ),
      "eu",
    );
    expect(between(before, after)).toMatchObject({ requests: 50, failed: 40, p95Ms: expect.closeTo(95) });
  });

  it("is told from nothing after the router began anew, and of nobody for a cell that nobody asked", () => {
    const anew = readMetrics(
      metrics(10, 0, [
        ["0.1", 10],
        ["0.5", 10],
        ["+Inf", 10],
      ]),
      "eu",
    );
    expect(between(before, anew)).toMatchObject({ requests: 10, failed: 0 });
    expect(between(readMetrics("", "eu"), readMetrics("", "eu"))).toEqual({
      requests: 0,
      failed: 0,
      p95Ms: null,
    });
  });
});

it("a rollout goes by wave, and within a wave by id", () => {
  const cells = {
    b: manifest("b", { wave: 2 }),
    c: manifest("c", { wave: 1 }),
    a: manifest("a", { wave: 2 }),
  };
  expect(order(cells).map(({ cellId }) => cellId)).toEqual(["c", "a", "b"]);
});
