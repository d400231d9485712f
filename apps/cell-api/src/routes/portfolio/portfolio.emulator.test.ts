import { setTimeout as sleep } from "node:timers/promises";
import type { Portfolio } from "@proveniq/contracts";
import { openTenant, type TenantDb } from "@proveniq/db/tenant";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { silentLogger } from "../../log.ts";
import { Portfolios } from "../../portfolio/portfolios.ts";
import { someValue } from "../../testing/centre.ts";
import { type EmulatedCell, emulatedCell } from "../../testing/emulated-cell.ts";
import { testReplica } from "../../testing/replica.ts";

let cell: EmulatedCell;
let replica: Awaited<ReturnType<typeof testReplica>>;

beforeAll(async () => {
  cell = await emulatedCell(inject("firestoreHost"), ["carrier-a", "carrier-b"]);
  replica = await testReplica(cell.config);
  await replica.apply([someValue(1, 100)]);
});
afterAll(async () => {
  await replica.close();
  await cell.close();
});

const usd = (amountMinor: number) => ({ amountMinor, currency: "USD" });
const register = (body: object, options = {}) =>
  cell.call("POST", "/v1/items", { body: { title: "A thing", category: "watch", ...body }, ...options });

describe("GET /v1/portfolio", () => {
  it("200: the whole book for a partner, their own items for people, nothing of another tenant", async () => {
    await register({ marketKey: "stone:1", insuredValue: usd(70) });
    await register({ category: "art", ownerId: "bob" });
    await register({ marketKey: "stone:1", insuredValue: usd(5) }, { tenant: "carrier-a", as: "alice" });
    await register({ insuredValue: usd(1_000_000) }, { tenant: "carrier-b" });

    const book = (await cell.call("GET", "/v1/portfolio")).body as Portfolio;
    expect(book).toMatchObject({
      items: 3,
      withMarketValue: 2,
      insured: [{ currency: "USD", items: 2, amountMinor: 75 }],
      market: [{ currency: "USD", items: 2, amountMinor: 200 }],
      replica: { sequence: 1 },
    });
    expect(book.categories.map((c) => [c.category, c.items])).toEqual([
      ["watch", 2],
      ["art", 1],
    ]);
    const alices = await cell.call("GET", "/v1/portfolio", { tenant: "carrier-a", as: "alice" });
    expect(alices.body).toMatchObject({ items: 1, marketShare: 1, insured: [{ amountMinor: 5 }] });
    expect(alices.headers.get("market-sequence")).toBe("1");
    const nobodys = await cell.call("GET", "/v1/portfolio", { tenant: "carrier-a", as: "carol" });
    expect(nobodys.body).toMatchObject({ items: 0, marketShare: null, insured: [], categories: [] });
  });
});

describe("a large book", () => {
  const market = {
    values: async (keys: readonly string[]) => ({
      values: new Map(keys.map((key) => [key, { ...someValue(1, 100), marketKey: key, sequence: 1 }])),
      replica: { sequence: 1, ageSeconds: 0 },
    }),
    status: async () => ({ sequence: 1, ageSeconds: 0 }),
  };
  const open = (ownerId?: string): TenantDb =>
    openTenant(cell.pool, {
      tenantId: "carrier-b",
      databaseId: cell.config.manifest.databases[1]?.id ?? "",
      epoch: 1,
      claimCopies: 1,
      actor: { kind: "key", id: "test" },
      ...(ownerId === undefined ? {} : { ownerId }),
    });

  async function settled(portfolios: Portfolios, db: TenantDb): Promise<Portfolio> {
    for (let tries = 0; tries < 100; tries++) {
      const answer = await portfolios.of(db);
      if ("portfolio" in answer) return answer.portfolio;
      await sleep(20);
    }
    throw new Error("it was never counted");
  }

  it("is counted in the background, kept, and counted anew when it is old", async () => {
    for (let n = 0; n < 6; n++) {
      await register({ insuredValue: usd(1), marketKey: "stone:1" }, { tenant: "carrier-b", as: "dora" });
    }
    let now = Date.now();
    const portfolios = new Portfolios({
      market,
      logger: silentLogger,
      smallBook: 5,
      now: () => now,
    });
    for (const db of [open(), open("dora")]) {
      now = Date.now();
      expect(await portfolios.of(db)).toMatchObject({ pending: { itemsCounted: 0 } });
      const first = await settled(portfolios, db);
      expect(first.items).toBe(7);
      await register({}, { tenant: "carrier-b", as: "dora" });
      expect(await portfolios.of(db)).toEqual({ portfolio: first });
      now += 11 * 60_000;
      // The old one is still the answer, while a new one is counted.
      expect(await portfolios.of(db)).toEqual({ portfolio: first });
      await expect.poll(async () => (await settled(portfolios, db)).asOf).not.toBe(first.asOf);
      expect((await settled(portfolios, db)).items).toBe(first.items + 1);
    }
    await portfolios.close();
  });

  it("is gone on with by another process when the first one is gone", async () => {
    const db = open();
    await db.portfolio.change(() => null);
    const whole = await settled(new Portfolios({ market, logger: silentLogger, smallBook: 5 }), db);
    await db.portfolio.change((_present, now) => ({
      scan: {
        holder: "gone",
        until: new Date(now - 1).toISOString(),
        startedAt: new Date(now - 60_000).toISOString(),
        replica: { sequence: 1, ageSeconds: 0 },
        counted: 100,
        sums: JSON.stringify({ wine: { items: 100, withMarketValue: 0, insured: {}, market: {} } }),
      },
    }));
    const portfolios = new Portfolios({ market, logger: silentLogger, smallBook: 5 });
    expect(await portfolios.of(db)).toMatchObject({ pending: { itemsCounted: 100 } });
    expect((await settled(portfolios, db)).items).toBe(whole.items + 100);
    await portfolios.close();
  });

  it("is left alone while another process counts it", async () => {
    const db = open();
    await db.portfolio.change((_present, now) => ({
      scan: {
        holder: "at work",
        until: new Date(now + 60_000).toISOString(),
        startedAt: new Date(now).toISOString(),
        replica: { sequence: 1, ageSeconds: 0 },
        counted: 3,
        sums: "{}",
      },
    }));
    const portfolios = new Portfolios({ market, logger: silentLogger, smallBook: 5 });
    expect(await portfolios.of(db)).toMatchObject({ pending: { itemsCounted: 3 } });
    await portfolios.close();
    expect((await db.portfolio.read())?.scan?.holder).toBe("at work");
  });
});
