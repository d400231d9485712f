import { parseSnapshot } from "@proveniq/tenant-context/directory";
import { openEdgeConfigDirectory } from "@proveniq/tenant-context/directory/edge-config";
import { createClient } from "@vercel/edge-config";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type EdgeConfigServer, startEdgeConfig } from "./server.ts";

const origin = { residency: "global", api: "http://127.0.0.1:1", bulk: "http://127.0.0.1:1" } as const;
const snapshot = (version: number) => ({
  version,
  publishedAt: "2026-01-01T00:00:00Z",
  topology: {
    hosts: { "api.proveniq.io": { kind: "global" } },
    defaults: { global: { cell: "consumer", tenant: "consumers" } },
    cells: { consumer: origin },
  },
  tenants: { "carrier-a": ["consumer", version] },
  tenantHosts: {},
});

let edge: EdgeConfigServer;
beforeEach(async () => {
  edge = await startEdgeConfig({ items: { directory: snapshot(1), greeting: "hello" } });
});
afterEach(() => edge.close());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${edge.port}${path}`, {
    headers: { authorization: "Bearer local-edge-config", ...headers },
  });

describe("the stand-in for Edge Config", () => {
  it("answers the library: items, several items, existence, digest, missing keys", async () => {
    const client = createClient(edge.connection, { disableDevelopmentCache: true });
    expect(await client.get("greeting")).toBe("hello");
    expect(await client.get("nothing")).toBeUndefined();
    expect(await client.has("greeting")).toBe(true);
    expect(await client.has("nothing")).toBe(false);
    expect(await client.getAll(["greeting"])).toEqual({ greeting: "hello" });
    const before = await client.digest();
    edge.set("greeting", "bye");
    expect(await client.digest()).not.toBe(before);
    expect(await client.get("greeting")).toBe("bye");
  });

  it("answers 304 to a known ETag, and names the digest always", async () => {
    const first = await get("/ecfg_local/item/greeting");
    const again = await get("/ecfg_local/item/greeting", {
      "if-none-match": first.headers.get("etag") ?? "",
    });
    expect([first.status, again.status]).toEqual([200, 304]);
    expect(again.headers.get("x-edge-config-digest")).toBe(first.headers.get("x-edge-config-digest"));
  });

  it("tells a missing key from a missing Edge Config, and a wrong token from both", async () => {
    const key = await get("/ecfg_local/item/nothing");
    const config = await get("/ecfg_other/item/greeting");
    const token = await get("/ecfg_local/item/greeting", { authorization: "Bearer wrong" });
    expect([key.status, key.headers.has("x-edge-config-digest")]).toEqual([404, true]);
    expect([config.status, config.headers.has("x-edge-config-digest")]).toEqual([404, false]);
    expect(token.status).toBe(401);
  });
});

describe("the directory in Edge Config", () => {
  const warnings: string[] = [];
  const open = (limits = {}) =>
    openEdgeConfigDirectory({
      connection: edge.connection,
      origins: { zone: "proveniq.io", loopback: true },
      log: (level, message) => void (level === "warn" && warnings.push(message)),
      limits: { ttlMs: 30, timeoutMs: 200, pauseMs: 30, ...limits },
    });
  const epoch = (directory: ReturnType<typeof open>) => {
    const found = directory.lookup("carrier-a");
    return typeof found === "string" ? found : found.epoch;
  };
  beforeEach(() => {
    warnings.length = 0;
  });

  it("is read when somebody looks, once for all who look, and again when it has become old", async () => {
    const directory = open({ ttlMs: 5_000 });
    await Promise.all(Array.from({ length: 20 }, () => directory.ready()));
    for (let n = 0; n < 100; n += 1) directory.hostTable();
    expect([epoch(directory), edge.requests()]).toEqual([1, 1]);
  });

  it("is followed when a newer version is published", async () => {
    const directory = open();
    await directory.ready();
    edge.set("directory", snapshot(2));
    await vi.waitFor(() => {
      directory.hostTable();
      expect(epoch(directory)).toBe(2);
    });
  });

  it.each([
    ["is gone", undefined],
    ["is garbage", "<html>"],
    ["is older", snapshot(1)],
    ["names nobody", { ...snapshot(9), tenants: {} }],
  ])("keeps the last good version when the published one %s", async (_, published) => {
    edge.set("directory", snapshot(3));
    const directory = open();
    await directory.ready();
    edge.set("directory", published);
    await vi.waitFor(() => {
      directory.hostTable();
      expect(warnings.length).toBeGreaterThan(0);
    });
    expect(epoch(directory)).toBe(3);
  });

  it.each(["failing", "hanging"] as const)("serves without waiting while Edge Config is %s", async (mode) => {
    const directory = open();
    await directory.ready();
    edge.mode = mode;
    await new Promise((resolve) => setTimeout(resolve, 60));
    const before = performance.now();
    await directory.ready();
    expect(epoch(directory)).toBe(1);
    expect(performance.now() - before).toBeLessThan(20);
    edge.mode = "up";
    edge.set("directory", snapshot(2));
    await vi.waitFor(() => {
      directory.hostTable();
      expect(epoch(directory)).toBe(2);
    });
  });

  it.each(["failing", "hanging"] as const)(
    "gives up in time when Edge Config is %s from the start",
    async (mode) => {
      edge.mode = mode;
      const directory = open();
      await directory.ready();
      expect(directory.hostTable()).toBeUndefined();
      expect(epoch(directory)).toBe("unavailable");
    },
  );

  it("serves from the snapshot that came with the program when it never answers", async () => {
    edge.mode = "hanging";
    const directory = open();
    const embedded = JSON.stringify(snapshot(1));
    expect(parseSnapshot(embedded).placements.size).toBe(1);
    directory.restore(embedded);
    await directory.ready();
    expect(epoch(directory)).toBe(1);
  });
});
