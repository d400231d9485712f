import type { Claim } from "@proveniq/contracts";
import { ClaimReader } from "@proveniq/db/claims";
import { Registry } from "@proveniq/db/control";
import { DatabasePool } from "@proveniq/db/pool";
import { afterAll, describe, expect, inject, test } from "vitest";
import type { TenantConnections } from "../connections.ts";
import { RefusedError } from "../refused.ts";
import { config, manifests } from "../testing.ts";
import { addTenant } from "./add.ts";
import { listTenants } from "./list.ts";
import { removeTenant } from "./remove.ts";

const emulatorHost = inject("firestoreHost");
const pools: DatabasePool[] = [];
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
});

let made = 0;
function fresh(): TenantConnections & { claims(cell: string): ClaimReader } {
  const n = ++made;
  const pool = (name: string, allow: string[]) => {
    const opened = new DatabasePool({ projectId: `plane-${name}-${n}`, allow, emulatorHost });
    pools.push(opened);
    return opened;
  };
  const cells = new Map([
    ["eu", pool("eu", ["eu-partners", "eu-carriers"])],
    ["consumer", pool("consumer", ["(default)"])],
  ]);
  const cell = (id: string) => {
    const found = cells.get(id);
    if (found === undefined) throw new Error(`no cell ${id}`);
    return found;
  };
  const central = pool("central", ["control"]);
  return {
    control: new Registry(central, "control"),
    cell,
    claims: (id) =>
      new ClaimReader({ pool: cell(id), defaultDatabase: id === "eu" ? "eu-partners" : "(default)" }),
  };
}

const fleet = { config, manifests };
const origin = { who: "ann@proveniq.io", from: "ann-laptop" };
const nordic = {
  tenantId: "nordic",
  name: "Nordic Mutual",
  cellId: "eu",
  databaseId: "eu-carriers",
  hosts: ["nordic.proveniq.io"],
};
const active: Claim = { tenantId: "nordic", state: "active", epoch: 1, copies: 1 };

describe("addTenant", () => {
  test("places it, with the residency of its cell, and makes it known there and nowhere else", async () => {
    const to = fresh();
    const { placement, added } = await addTenant(to, fleet, nordic, origin);
    expect(added).toBe(true);
    expect(placement).toMatchObject({ ...nordic, residency: "eu", epoch: 1 });
    expect(await to.claims("eu").read("nordic")).toEqual({ databaseId: "eu-carriers", claim: active });
    expect(await to.claims("consumer").read("nordic")).toBeUndefined();
    expect(await listTenants(to)).toEqual([placement]);
  });

  test("without a database goes to its cell's default one", async () => {
    const to = fresh();
    const { placement } = await addTenant(
      to,
      fleet,
      { tenantId: "atelier", name: "Atelier", cellId: "eu" },
      origin,
    );
    expect(placement.databaseId).toBe("eu-partners");
    expect((await to.claims("eu").read("atelier"))?.databaseId).toBe("eu-partners");
  });

  test("that broke off half-way is finished by doing it again", async () => {
    const to = fresh();
    const broken: TenantConnections = {
      ...to,
      cell: () => {
        throw new Error("the network went away");
      },
    };
    await expect(addTenant(broken, fleet, nordic, origin)).rejects.toThrow("the network went away");
    expect(await to.claims("eu").read("nordic")).toBeUndefined();
    expect((await addTenant(to, fleet, nordic, origin)).added).toBe(false);
    expect((await to.claims("eu").read("nordic"))?.claim).toEqual(active);
    expect((await addTenant(to, fleet, nordic, origin)).added).toBe(false);
    expect(await to.control.audit()).toHaveLength(1);
  });

  test.each([
    [{ tenantId: "Nordic" }, "lower-case"],
    [{ tenantId: "admin" }, "is a reserved name"],
    [{ name: "" }, "name"],
    [{ cellId: "asia" }, 'There is no cell "asia". There are consumer, eu'],
    [{ cellId: "constructor" }, "There is no cell"],
    [{ databaseId: "market" }, "it has eu-partners, eu-carriers"],
    [{ hosts: ["eu.proveniq.io"] }, "is a host of the whole fleet"],
    [{ hosts: ["a.example.com", "a.example.com"] }, "is named twice"],
    [{ hosts: ["NOT A HOST"] }, "must be a lower-case host name"],
    [{ claimCopies: 65 }, "claimCopies"],
    [{ colour: "red" }, "colour is not a known field"],
  ])("refuses %o and leaves nothing behind", async (more, message) => {
    const to = fresh();
    const adding = addTenant(to, fleet, { ...nordic, ...more }, origin);
    await expect(adding).rejects.toThrow(message);
    await expect(adding).rejects.toBeInstanceOf(RefusedError);
    expect(await listTenants(to)).toEqual([]);
    expect(await to.control.audit()).toEqual([]);
  });
});

describe("a directory without room", () => {
  test("leaves nothing behind of a tenant", async () => {
    const to = fresh();
    const room = () => Promise.reject(new RefusedError("no room"));
    await expect(addTenant(to, fleet, nordic, origin, { room })).rejects.toThrow("no room");
    expect([await listTenants(to), await to.control.audit()]).toEqual([[], []]);
    expect(await to.claims("eu").read("nordic")).toBeUndefined();
  });
});

describe("removeTenant", () => {
  test("takes out a tenant without data, everywhere, and lets it come back under a greater epoch", async () => {
    const to = fresh();
    await addTenant(to, fleet, nordic, origin);
    const db = await to.cell("eu").open("eu-carriers");
    await db.doc("tenants/nordic/apiKeys/k1").set({ some: "key" });
    await db.doc("tenants/nordic/settings/current").set({ some: "setting" });
    expect(await removeTenant(to, fleet, "nordic", origin)).toMatchObject({ tenantId: "nordic" });
    expect(await to.claims("eu").read("nordic")).toBeUndefined();
    for (const left of ["claims", "apiKeys", "settings"])
      expect((await db.collection(`tenants/nordic/${left}`).get()).size).toBe(0);
    expect(await listTenants(to)).toEqual([]);
    // Done again, it does nothing.
    expect(await removeTenant(to, fleet, "nordic", origin)).toBeUndefined();
    expect((await to.control.audit()).map((r) => r.action)).toEqual(["tenant.add", "tenant.remove"]);
    const { placement, added } = await addTenant(to, fleet, nordic, origin);
    expect([placement.epoch, added]).toEqual([2, true]);
    expect((await to.claims("eu").read("nordic"))?.claim).toEqual({ ...active, epoch: 2 });
    expect((await addTenant(to, fleet, nordic, origin)).added).toBe(false);
  });

  test("refuses a tenant with data, and leaves it as it was", async () => {
    const to = fresh();
    await addTenant(to, fleet, { ...nordic, claimCopies: 3 }, origin);
    const db = await to.cell("eu").open("eu-carriers");
    await db.doc("tenants/nordic/items/one").set({ title: "Clock" });
    const removing = removeTenant(to, fleet, "nordic", origin);
    await expect(removing).rejects.toThrow("tenant nordic was not removed: it has items");
    await expect(removing).rejects.toBeInstanceOf(RefusedError);
    expect((await to.claims("eu").read("nordic"))?.claim).toEqual({ ...active, copies: 3 });
    expect(await listTenants(to)).toHaveLength(1);
  });

  test("goes on where it was cut off", async () => {
    const to = fresh();
    await addTenant(to, fleet, nordic, origin);
    const db = await to.cell("eu").open("eu-carriers");
    await db.doc("tenants/nordic/claims/0").delete();
    await removeTenant(to, fleet, "nordic", origin);
    expect([await listTenants(to), await to.claims("eu").read("nordic")]).toEqual([[], undefined]);
  });

  test("lets nobody in between: what another holds fenced, or moves, is not touched", async () => {
    const to = fresh();
    await addTenant(to, fleet, nordic, origin);
    const db = await to.cell("eu").open("eu-carriers");
    const fence = { token: "another", deadline: new Date(Date.now() + 60_000).toISOString() };
    await db.doc("tenants/nordic/claims/0").set({ ...active, state: "fenced", fence });
    await expect(removeTenant(to, fleet, "nordic", origin)).rejects.toThrow("it is fenced at epoch 1");
    expect(await listTenants(to)).toHaveLength(1);
  });

  test.each([
    ["nobody", 'there is no tenant "nobody"'],
    ["consumers", "is named in infra/fleet.json"],
  ])("refuses %s", async (id, message) => {
    const to = fresh();
    const at = "2026-12-01T00:00:00.000Z";
    const consumers = { tenantId: "consumers", name: "Consumers", cellId: "consumer" };
    await addTenant(to, fleet, consumers, origin, { now: () => new Date(at) });
    await expect(removeTenant(to, fleet, id, origin)).rejects.toThrow(message);
  });
});
