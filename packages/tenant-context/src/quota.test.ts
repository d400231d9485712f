import { array, assert, double, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { QuotaLimiter, quotaHeaders, shareOf } from "./quota.ts";

function clocked(maxKeys?: number) {
  const clock = { ms: 1_000_000 };
  const limiter = new QuotaLimiter({ now: () => clock.ms, ...(maxKeys === undefined ? {} : { maxKeys }) });
  return { clock, limiter };
}

const quota = { requestsPerSecond: 2, burst: 4 };

describe("QuotaLimiter", () => {
  it("lets a burst in, refuses the next, and lets one in when it is earned", () => {
    const { clock, limiter } = clocked();
    const take = () => limiter.take("a", quota);
    expect([take(), take(), take(), take()].map((d) => [d.allowed, d.remaining])).toEqual([
      [true, 3],
      [true, 2],
      [true, 1],
      [true, 0],
    ]);
    expect(take()).toMatchObject({ allowed: false, remaining: 0, resetSeconds: 2, retryAfterSeconds: 1 });
    clock.ms += 499;
    expect(take().allowed).toBe(false);
    clock.ms += 1;
    expect(take().allowed).toBe(true);
    expect(take().allowed).toBe(false);
    clock.ms += 60_000;
    expect(take()).toMatchObject({ allowed: true, remaining: 3 });
  });

  it("keeps keys apart", () => {
    const { limiter } = clocked();
    for (let n = 0; n < 5; n += 1) limiter.take("a", quota);
    expect(limiter.take("a", quota).allowed).toBe(false);
    expect(limiter.take("b", quota)).toMatchObject({ allowed: true, remaining: 3 });
  });

  it("never lets more in than burst plus rate, whatever the arrivals", () => {
    const arrivals = array(integer({ min: 0, max: 700 }), { maxLength: 200 });
    const quotas = record({
      requestsPerSecond: double({ min: 0.05, max: 500, noNaN: true }),
      burst: integer({ min: 1, max: 50 }),
    });
    assert(
      property(arrivals, quotas, (gaps, q) => {
        const { clock, limiter } = clocked();
        const start = clock.ms;
        let allowed = 0;
        for (const gap of gaps) {
          clock.ms += gap;
          const decision = limiter.take("a", q);
          if (decision.allowed) allowed += 1;
          expect(decision.retryAfterSeconds >= 1).toBe(!decision.allowed);
          expect(decision.remaining).toBeLessThan(q.burst);
          expect(decision.remaining).toBeGreaterThanOrEqual(0);
        }
        const most = q.burst + ((clock.ms - start) / 1000) * q.requestsPerSecond;
        expect(allowed).toBeLessThanOrEqual(Math.floor(most + 1e-3));
      }),
    );
  });

  it("is let in when Retry-After has passed", () => {
    assert(
      property(double({ min: 0.05, max: 100, noNaN: true }), integer({ min: 1, max: 5 }), (rate, burst) => {
        const { clock, limiter } = clocked();
        const q = { requestsPerSecond: rate, burst };
        let decision = limiter.take("a", q);
        while (decision.allowed) decision = limiter.take("a", q);
        clock.ms += decision.retryAfterSeconds * 1000;
        expect(limiter.take("a", q).allowed).toBe(true);
      }),
    );
  });

  it("remembers a bounded number of keys, those used last", () => {
    const { limiter } = clocked(100);
    for (let n = 0; n < 4; n += 1) limiter.take("busy", quota);
    for (let n = 0; n < 10_000; n += 1) {
      limiter.take(`stranger-${n}`, quota);
      if (n % 50 === 0) limiter.take("busy", quota);
    }
    expect(limiter.size).toBe(100);
    expect(limiter.take("busy", quota).allowed).toBe(false);
  });
});

describe("shareOf", () => {
  it("takes the share and keeps a burst of at least one", () => {
    expect(shareOf(500, 0.1)).toEqual({ requestsPerSecond: 50, burst: 500 });
    expect(shareOf(20, 0.05)).toEqual({ requestsPerSecond: 1, burst: 10 });
    expect(shareOf(1, 0.001)).toEqual({ requestsPerSecond: 0.001, burst: 1 });
  });
});

describe("quotaHeaders", () => {
  it("writes structured fields", () => {
    const { limiter } = clocked();
    expect(quotaHeaders("tenant", limiter.take("a", quota))).toEqual({
      "ratelimit-policy": '"tenant";q=4;w=2',
      ratelimit: '"tenant";r=3;t=1',
    });
  });

  it("says when to come again", () => {
    const { limiter } = clocked();
    const slow = { requestsPerSecond: 0.1, burst: 1 };
    limiter.take("a", slow);
    expect(quotaHeaders("person", limiter.take("a", slow))).toEqual({
      "ratelimit-policy": '"person";q=1;w=10',
      ratelimit: '"person";r=0;t=10',
      "retry-after": "10",
    });
  });
});
