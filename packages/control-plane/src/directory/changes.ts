import type { DirectorySnapshot } from "@proveniq/contracts";

/** One line of a difference between two directories. `before` and `after` are for people. */
export interface DirectoryChange {
  kind: "added" | "changed" | "removed";
  what: "tenant" | "host" | "cell" | "default";
  name: string;
  before: string | null;
  after: string | null;
}

type Facts = Map<string, Pick<DirectoryChange, "what" | "name"> & { text: string }>;

/** What differs between two directories, their versions and dates aside. Pure. */
export function changesBetween(
  before: DirectorySnapshot | undefined,
  after: DirectorySnapshot,
): DirectoryChange[] {
  const [old, next] = [before === undefined ? new Map() : factsOf(before), factsOf(after)] as [Facts, Facts];
  const changes: DirectoryChange[] = [];
  for (const [key, { what, name, text }] of next) {
    const was = old.get(key);
    if (was?.text === text) continue;
    changes.push({
      kind: was === undefined ? "added" : "changed",
      what,
      name,
      before: was?.text ?? null,
      after: text,
    });
  }
  for (const [key, { what, name, text }] of old) {
    if (!next.has(key)) changes.push({ kind: "removed", what, name, before: text, after: null });
  }
  return changes;
}

/**
 * Why a directory must not follow another, a sentence each. A tenant changes its cell only with a greater epoch, which
 * the registry gives when it moves; epochs never fall; and no tenant disappears, but for those that were removed. Pure.
 */
export function faultsOfChange(
  before: DirectorySnapshot | undefined,
  after: DirectorySnapshot,
  removed: Readonly<Record<string, number>> = {},
): string[] {
  if (before === undefined) return [];
  return Object.entries(before.tenants).flatMap(([id, [cell, epoch]]) => {
    const next = Object.hasOwn(after.tenants, id) ? after.tenants[id] : undefined;
    if (next === undefined && Object.hasOwn(removed, id)) return [];
    if (next === undefined) return [`tenant ${id} (cell ${cell}, epoch ${epoch}) would be dropped`];
    const [nextCell, nextEpoch] = next;
    if (nextEpoch < epoch) return [`the epoch of tenant ${id} would fall from ${epoch} to ${nextEpoch}`];
    if (nextCell === cell || nextEpoch > epoch) return [];
    return [`tenant ${id} would go from ${cell} to ${nextCell}, and its epoch says it never moved`];
  });
}

/** The size in bytes that counts against the limit of the Edge Config plan. */
export function sizeOf(snapshot: DirectorySnapshot): number {
  return Buffer.byteLength(JSON.stringify(snapshot));
}

function factsOf({ topology, tenants, tenantHosts }: DirectorySnapshot): Facts {
  const facts: Facts = new Map();
  const add = (what: DirectoryChange["what"], name: string, text: string) =>
    facts.set(`${what} ${name}`, { what, name, text });
  for (const [id, cell] of Object.entries(topology.cells))
    add("cell", id, `${cell.residency}, ${cell.api}, ${cell.bulk}`);
  for (const [name, target] of Object.entries(topology.defaults))
    if (target !== undefined) add("default", name, `${target.tenant} in ${target.cell}`);
  for (const [name, host] of Object.entries(topology.hosts))
    add("host", name, host.kind === "region" ? `region ${host.residency}` : "global");
  for (const [name, tenant] of Object.entries(tenantHosts)) add("host", name, `tenant ${tenant}`);
  for (const [id, [cell, epoch]] of Object.entries(tenants)) add("tenant", id, `${cell}, epoch ${epoch}`);
  return facts;
}
