import type { DirectorySnapshot, Placement } from "@proveniq/contracts";
import { afterAll, describe, expect, inject, test } from "vitest";
import { DatabasePool } from "../pool.ts";
import { Registry } from "./registry.ts";

const emulatorHost = inject("firestoreHost");
const pools: DatabasePool[] = [];
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

let made = 0;
function fresh(): Registry {
  const pool = new DatabasePool({ projectId: `db-registry-${++made}`, allow: ["control"], emulatorHost });
  pools.push(pool);
  return new Registry(pool, "control");
}

const origin = { who: "ann@proveniq.io", from: "ann-laptop" };

function place(tenantId: string, more: Partial<Placement> = {}): Placement {
  const at = "2026-01-01T00:00:00.000Z";
  const where = { cellId: "eu", databaseId: "eu-partners", residency: "eu", epoch: 1 } as const;
  return { tenantId, name: tenantId, ...where, hosts: [], createdAt: at, updatedAt: at, ...more };
}

describe("the registry", () => {
  test("keeps a placement, an audit record and a grown version, together", async () => {
    const registry = fresh();
    expect(await registry.snapshot()).toEqual({ version: 0, placements: [], removed: {} });
    const wanted = place("carrier-a", { hosts: ["carrier-a.proveniq.io"] });
    expect(await registry.add(wanted, origin)).toEqual({ placement: wanted, added: true });
    expect(await registry.get("carrier-a")).toEqual(wanted);
    expect(await registry.get("carrier-b")).toBeUndefined();
    expect(await registry.get("../x")).toBeUndefined();
    expect(await registry.snapshot()).toEqual({ version: 1, placements: [wanted], removed: {} });
    expect(await registry.audit()).toEqual([
      {
        ...origin,
        at: wanted.createdAt,
        action: "tenant.add",
        target: "carrier-a",
        detail: { cellId: "eu", databaseId: "eu-partners", epoch: 1, hosts: "carrier-a.proveniq.io" },
      },
    ]);
  });

  test("takes the same placement again without a trace, whatever its dates and the order of its hosts", async () => {
    const registry = fresh();
    const first = place("carrier-a", { hosts: ["a.example.com", "b.example.com"] });
    await registry.add(first, origin);
    const again = { ...first, hosts: first.hosts.toReversed(), createdAt: "2026-02-02T00:00:00.000Z" };
    expect(await registry.add(again, origin)).toEqual({ placement: first, added: false });
    expect(await registry.audit()).toHaveLength(1);
    expect((await registry.snapshot()).version).toBe(1);
  });

  test.each<Partial<Placement>>([
    { cellId: "consumer" },
    { databaseId: "eu-carriers" },
    { residency: "global" },
    { hosts: ["x.example.com"] },
    { name: "Other" },
    { epoch: 2 },
  ])("refuses another placement of a tenant it has: %o", async (more) => {
    const registry = fresh();
    await registry.add(place("carrier-a"), origin);
    await expect(registry.add(place("carrier-a", more), origin)).rejects.toThrow("tenant carrier-a exists");
    expect((await registry.snapshot()).placements).toEqual([place("carrier-a")]);
  });

  test("gives a host to one tenant, also when two ask at once", async () => {
    const registry = fresh();
    const hosts = ["shared.example.com"];
    const tried = await Promise.allSettled(
      ["carrier-a", "carrier-b"].map((tenantId) => registry.add(place(tenantId, { hosts }), origin)),
    );
    const refused = tried.flatMap((t) => (t.status === "rejected" ? [String(t.reason)] : []));
    expect(refused).toEqual([
      expect.stringMatching(/host shared.example.com belongs to tenant carrier-[ab]/),
    ]);
    expect((await registry.snapshot()).placements).toHaveLength(1);
  });

  test("counts every change once, however many there are at a time", async () => {
    const registry = fresh();
    await Promise.all([
      ...Array.from({ length: 5 }, (_, n) => registry.add(place(`tenant-${n}`), origin)),
      registry.bumpVersion(),
    ]);
    expect((await registry.snapshot()).version).toBe(6);
  });

  test("records what is published once, in order, and keeps the last fifty", async () => {
    const pool = new DatabasePool({ projectId: `db-registry-${++made}`, allow: ["control"], emulatorHost });
    pools.push(pool);
    const registry = new Registry(pool, "control");
    const record = {
      ...origin,
      at: "2026-01-01T00:00:00.000Z",
      action: "directory.publish",
      target: "directory",
      detail: {},
    };
    expect(await registry.recordPublished(0, directory(50), record)).toBe(true);
    expect(await registry.recordPublished(0, directory(50), record)).toBe(true);
    expect(await registry.recordPublished(0, directory(51), record)).toBe(false);
    expect(await registry.recordPublished(50, directory(49), record)).toBe(false);
    expect(await registry.audit()).toEqual([record]);
    const head = (await pool.open("control")).collection("directories").doc("head");
    await head.set({ versions: [50, ...Array.from({ length: 49 }, (_, n) => n + 100)] });
    expect(await registry.recordPublished(50, directory(200), record)).toBe(true);
    expect(await registry.published(50)).toBeUndefined();
    expect(await registry.published(200)).toEqual(directory(200));
    expect(await registry.publishedVersions()).toHaveLength(50);
  });
});

function directory(version: number): DirectorySnapshot {
  const eu = { residency: "global", api: "https://a.example", bulk: "https://a.example" } as const;
  const defaults = { global: { cell: "eu", tenant: "consumers" } };
  const publishedAt = "2026-01-01T00:00:00.000Z";
  return {
    version,
    publishedAt,
    topology: { hosts: {}, defaults, cells: { eu } },
    tenants: {},
    tenantHosts: {},
  };
}
