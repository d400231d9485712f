import { setTimeout as sleep } from "node:timers/promises";
import type { MarketValueAnswer, Valuation, ValuedItemPage } from "@proveniq/contracts";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { someValue } from "../../testing/centre.ts";
import { codeOf } from "../../testing/client.ts";
import { type EmulatedCell, emulatedCell } from "../../testing/emulated-cell.ts";
import { testReplica } from "../../testing/replica.ts";

let cell: EmulatedCell;
let replica: Awaited<ReturnType<typeof testReplica>>;

beforeAll(async () => {
  cell = await emulatedCell(inject("firestoreHost"), ["carrier-a", "carrier-b"]);
  replica = await testReplica(cell.config);
  await replica.apply([1, 2, 3].map((n) => ({ ...someValue(n, n * 100), p10Minor: 50, p90Minor: 1_000 })));
});
afterAll(async () => {
  await replica.close();
  await cell.close();
});

const register = async (item: object, options = {}) => {
  const made = await cell.call("POST", "/v1/items", {
    body: { title: "A thing", category: "watch", ...item },
    ...options,
  });
  expect(made.status).toBe(201);
  return { path: made.headers.get("location") ?? "", etag: made.headers.get("etag") ?? "" };
};

describe("GET /v1/market-values/{key}", () => {
  it("200: the value, and how fresh it is, the same for every tenant and for people", async () => {
    for (const options of [{}, { tenant: "carrier-b" }, { as: "alice" }]) {
      const answer = await cell.call("GET", "/v1/market-values/stone:2", options);
      expect(answer.status).toBe(200);
      const { value, replica: status } = answer.body as MarketValueAnswer;
      expect(value).toEqual({ ...someValue(2, 200), p10Minor: 50, p90Minor: 1_000, sequence: 1 });
      expect(status.sequence).toBe(1);
      expect(answer.headers.get("market-sequence")).toBe("1");
      expect(Number(answer.headers.get("market-age"))).toBeLessThan(20);
    }
  });

  it.each(["stone:99", "Not%20a%20key", "..", "a%25b"])("404: for %s", async (key) => {
    const answer = await cell.call("GET", `/v1/market-values/${key}`);
    expect([answer.status, codeOf(answer)]).toEqual([404, "not-found"]);
  });

  it("401: without a credential, and 405 for every method that could write", async () => {
    expect((await cell.call("GET", "/v1/market-values/stone:1", { as: null })).status).toBe(401);
    for (const method of ["PUT", "POST", "PATCH", "DELETE"]) {
      const answer = await cell.call(method, "/v1/market-values/stone:1", { body: {} });
      expect([method, answer.status]).toEqual([method, 405]);
    }
  });
});

describe("POST /v1/market-values/batch-get", () => {
  it("200: values in the order of the keys, each once, and the keys that have none", async () => {
    const keys = ["stone:3", "stone:404", "stone:1", "stone:3"];
    const answer = await cell.call("POST", "/v1/market-values/batch-get", { body: { keys } });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      values: [{ marketKey: "stone:3" }, { marketKey: "stone:1" }],
      missing: ["stone:404"],
      replica: { sequence: 1 },
    });
  });

  it.each<[string, unknown]>([
    ["no keys", { keys: [] }],
    ["501 keys", { keys: Array.from({ length: 501 }, (_, n) => `stone:${n}`) }],
    ["a malformed key", { keys: ["__x__"] }],
    ["a path", { keys: ["a/b"] }],
    ["something else", { ids: ["stone:1"] }],
  ])("400: for %s", async (_name, body) => {
    const answer = await cell.call("POST", "/v1/market-values/batch-get", { body });
    expect([answer.status, codeOf(answer)]).toEqual([400, "invalid-request"]);
  });
});

describe("an item's valuation", () => {
  it("is the market value adjusted to its condition, alone and in lists", async () => {
    const { path } = await register({ marketKey: "stone:1", condition: "excellent" });
    const { body, headers } = await cell.call("GET", path);
    expect((body as { valuation: Valuation }).valuation).toEqual({
      market: {
        currency: "USD",
        medianMinor: 100,
        p10Minor: 50,
        p90Minor: 1_000,
        sampleSize: 5,
        asOf: "2026-11-01",
        sequence: 1,
      },
      estimate: { amountMinor: 550, currency: "USD" },
      condition: "excellent",
      rule: "condition-spread-1",
    });
    expect(headers.get("market-sequence")).toBe("1");
    const list = await cell.call("GET", "/v1/items?marketKey=stone:1");
    expect((list.body as ValuedItemPage).items[0]?.valuation?.estimate.amountMinor).toBe(550);
    expect(list.headers.get("market-sequence")).toBe("1");
  });

  it("is absent without a published value, and nothing then vouches for one", async () => {
    const without = await register({});
    const unknown = await register({ marketKey: "stone:404" });
    const answer = await cell.call("GET", without.path);
    expect(answer.body).not.toHaveProperty("valuation");
    expect([answer.headers.get("etag"), answer.headers.get("market-sequence")]).toEqual([without.etag, null]);
    expect((await cell.call("GET", unknown.path)).body).not.toHaveProperty("valuation");
  });

  it("changes the entity tag when it changes, but never stands in the way of a write", async () => {
    const { path, etag } = await register({ marketKey: "stone:3" });
    const before = (await cell.call("GET", path)).headers.get("etag") ?? "";
    expect(before).not.toBe(etag);
    const same = await cell.call("GET", path, { headers: { "if-none-match": before } });
    expect(same.status).toBe(304);

    await replica.apply([{ ...someValue(3, 333), p90Minor: 1_000 }]);
    await sleep(1_200);
    const after = await cell.call("GET", path, { headers: { "if-none-match": before } });
    expect(after.status).toBe(200);
    expect(after.body).toMatchObject({ valuation: { market: { medianMinor: 333, sequence: 2 } } });
    expect(after.headers.get("etag")).not.toBe(before);

    const headers = { "if-match": before };
    expect((await cell.call("PATCH", path, { body: { title: "Renamed" }, headers })).status).toBe(200);
    expect((await cell.call("PATCH", path, { body: { title: "Again" }, headers })).status).toBe(412);
  });

  it("is gone with the value it came from", async () => {
    const { path, etag } = await register({ marketKey: "stone:2" });
    await replica.apply([], ["stone:2"]);
    await sleep(1_200);
    const answer = await cell.call("GET", path);
    expect(answer.body).not.toHaveProperty("valuation");
    expect(answer.headers.get("etag")).toBe(etag);
  });
});

describe("/ready", () => {
  it("200: shows the replica among the dependencies", async () => {
    const answer = await cell.call("GET", "/ready", { as: null });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ status: "ready" });
    expect(answer.text).toContain('"market-values"');
  });
});
