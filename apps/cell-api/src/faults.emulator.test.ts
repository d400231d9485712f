import { setClaim } from "@proveniq/db/claims";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { codeOf } from "./testing/client.ts";
import { type EmulatedCell, emulatedCell } from "./testing/emulated-cell.ts";
import { makeTestKey } from "./testing/identity.ts";

const stone = { title: "Ring", category: "jewellery" };

describe("a tenant whose claim changes", () => {
  let cell: EmulatedCell;
  beforeAll(async () => {
    cell = await emulatedCell(inject("firestoreHost"), ["carrier-a", "carrier-b", "leaver"]);
  });
  afterAll(() => cell.close());

  it("421 with the successor once it has moved, for reads too as soon as a write has seen it", async () => {
    expect((await cell.call("POST", "/v1/items", { tenant: "leaver", body: stone })).status).toBe(201);
    const successor = { cellId: "consumer", epoch: 2 };
    await setClaim(await cell.pool.open("eu-partners"), "leaver", (claim) => ({
      ...claim,
      state: "moved",
      successor,
    }));
    const routed = { tenant: "leaver", headers: { "x-proveniq-epoch": "1" } };
    const write = await cell.call("POST", "/v1/items", { ...routed, body: stone });
    expect([codeOf(write), write.headers.get("x-proveniq-successor")]).toEqual([
      "misdirected-request",
      "consumer;2",
    ]);
    const read = await cell.call("GET", "/v1/items", routed);
    expect([codeOf(read), read.headers.get("x-proveniq-successor")]).toEqual([
      "misdirected-request",
      "consumer;2",
    ]);
    // Who is no router gets the answer of a tenant that never was here, with its own key and with a made-up one.
    const never = await cell.call("GET", "/v1/items", { tenant: "never-here" });
    const madeUp = { authorization: `Bearer ${(await makeTestKey("leaver")).key}` };
    for (const headers of [{}, madeUp]) {
      const stranger = await cell.call("GET", "/v1/items", { tenant: "leaver", headers });
      expect([stranger.status, codeOf(stranger)]).toEqual([never.status, codeOf(never)]);
      expect([...stranger.headers.keys()]).toEqual([...never.headers.keys()]);
      expect(stranger.headers.has("x-proveniq-successor")).toBe(false);
    }
  });

  it("403 once it is suspended", async () => {
    expect((await cell.call("GET", "/v1/items", { tenant: "carrier-b" })).status).toBe(200);
    await setClaim(await cell.pool.open("eu-carriers"), "carrier-b", (claim) => ({
      ...claim,
      state: "suspended",
    }));
    const write = await cell.call("POST", "/v1/items", { tenant: "carrier-b", body: stone });
    expect(codeOf(write)).toBe("tenant-suspended");
    expect(codeOf(await cell.call("GET", "/v1/items", { tenant: "carrier-b" }))).toBe("tenant-suspended");
  });
});

describe("a cell whose database is away", () => {
  it("503: with Retry-After, within ten seconds, and says so in /ready", async () => {
    const cell = await emulatedCell("127.0.0.1:9", []);
    const started = performance.now();
    const [answer, ready] = await Promise.all([
      cell.call("GET", "/v1/items", { tenant: "carrier-a" }),
      cell.call("GET", "/ready", { as: null }),
    ]);
    expect(codeOf(answer)).toBe("database-unavailable");
    expect(answer.text).not.toContain("write");
    expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(ready.status).toBe(503);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect((await cell.call("GET", "/health", { as: null })).status).toBe(200);
    // Not closed: the client library lets calls that it is still retrying fail unhandled.
  }, 20_000);
});
