import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { directorySnapshot, scope } from "@proveniq/contracts";
import { listTenants } from "@proveniq/control-plane";
import { adoptKey } from "@proveniq/control-plane/access";
import { operator } from "@proveniq/control-plane/environment";
import { publishMarket, readValues } from "@proveniq/control-plane/market";
import type { LocalEnvironment } from "./local-environment.ts";
import { patiently } from "./patience.ts";
import type { SeedTenant } from "./seeds.ts";

/** An emulator that has just started, on a busy machine, takes its time over the first call. */
const firstAnswerMs = 60_000;
/** Real market values, which a local fleet starts with. */
const marketFile = join("examples", "market", "diamonds.ndjson");

/** Add several tenants and publish once. */
export async function seed(on: LocalEnvironment, tenants: readonly SeedTenant[]): Promise<void> {
  const { connections } = on;
  // A transaction that is given up keeps its locks, and the next attempt waits for them: none begins before its emulator answers.
  await Promise.all([
    patiently("reach the registry", () => connections.control.get("consumers"), firstAnswerMs),
    ...Object.entries(on.state.cells).map(([id, { databases }]) =>
      connections.cell(id).ping(databases[0] ?? "", firstAnswerMs),
    ),
  ]);
  // One after the other: they share the registry's counter, and five take no time.
  for (const tenant of tenants)
    await patiently(`add the tenant ${tenant.tenantId}`, () => addSeed(on, tenant));
  await patiently("publish the directory", () => on.publish(operator(), { begin: true }));
}

/** Publish the market values that a local fleet starts with. */
export async function seedMarket({ connections }: LocalEnvironment, root: string): Promise<void> {
  await patiently("publish market values", async () =>
    publishMarket(connections.market, await readValues(createReadStream(join(root, marketFile)))),
  );
}

/** Give an emulator that lost its data the claims of the tenants it holds; resolves with their ids. */
export async function refillCell(on: LocalEnvironment, cell: string): Promise<string[]> {
  const placed = (await listTenants(on.connections)).filter((p) => p.cellId === cell);
  for (const { tenantId, name, cellId, databaseId, hosts } of placed) {
    await on.place({ tenantId, name, cellId, databaseId, hosts }, operator());
    await restoreKey(on, tenantId);
  }
  return placed.map((p) => p.tenantId);
}

/** Fill a registry that lost its data, or all since it was last saved, with the seeds; resolves with the tenants that are known no longer. */
export async function refillCentral(on: LocalEnvironment, tenants: readonly SeedTenant[]): Promise<string[]> {
  const { control } = on.connections;
  const before = directorySnapshot.parse(JSON.parse(await readFile(on.state.directoryFile, "utf8")));
  for (const tenant of tenants) await addSeed(on, tenant);
  // Routers believe no directory that is older than theirs, and the lost registry had counted further.
  while ((await control.snapshot()).version <= before.version) await control.bumpVersion();
  await on.publish(operator(), { begin: true });
  const known = new Set((await listTenants(on.connections)).map((t) => t.tenantId));
  return Object.keys(before.tenants).filter((id) => !known.has(id));
}

async function addSeed(on: LocalEnvironment, seeded: SeedTenant): Promise<void> {
  const { partner: _, ...tenant } = seeded;
  await on.place(tenant, operator());
  await restoreKey(on, tenant.tenantId);
}

/** Make the tenant know the key that the fleet gave it when it started, if it gave it one. */
async function restoreKey(on: LocalEnvironment, tenantId: string): Promise<void> {
  const key = on.keyOf(tenantId);
  if (key === undefined) return;
  await adoptKey(on.connections, key, { label: "Local development", scopes: scope.options }, operator());
}
