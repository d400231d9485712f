import {
  type DirectorySnapshot,
  directorySnapshot,
  type Fault,
  faultsOf,
  isTenantId,
} from "@proveniq/contracts";
import { buildHostTable } from "./host-table.ts";
import { type PackedEntry, PlacementTable } from "./placement-table.ts";
import type { CellRoute, HostTable } from "./types.ts";

/** A snapshot of the directory in the form that look-ups read. */
export interface DirectoryTable {
  readonly hosts: HostTable;
  /** The cells by number, as the placements name them. */
  readonly cells: readonly CellRoute[];
  readonly placements: PlacementTable;
}

const shownFaults = 20;

/**
 * Parse a snapshot's text. Throws one Error with the first faults in it when the snapshot is not exactly what the
 * contract says. The tenants are checked by hand: a schema over a million of them would take seconds.
 */
export function parseSnapshot(text: string): DirectoryTable {
  return tableOf(JSON.parse(text));
}

/** The same from a document that is parsed already. */
export function tableOf(document: unknown): DirectoryTable {
  if (!isRecord(document)) throw new Error("the snapshot is not an object");
  const { tenants, tenantHosts, ...rest } = document;
  const head = directorySnapshot.safeParse({ ...rest, tenants: {}, tenantHosts: {} });
  const faults = head.success ? [] : faultsOf(head.error);
  if (!isRecord(tenants)) faults.push({ path: "/tenants", message: "is not an object" });
  if (!isRecord(tenantHosts)) faults.push({ path: "/tenantHosts", message: "is not an object" });
  if (!head.success || !isRecord(tenants) || !isRecord(tenantHosts)) throw faulty(faults);

  const cellIds = Object.keys(head.data.topology.cells);
  const placements = pack(tenants, cellIds, faults);
  const named = Object.fromEntries(
    Object.values(tenantHosts).flatMap((id) =>
      typeof id === "string" && placements.find(id) !== -1 ? [[id, tenants[id]]] : [],
    ),
  );
  const whole = directorySnapshot.safeParse({ ...rest, tenants: named, tenantHosts });
  if (!whole.success) faults.push(...faultsOf(whole.error));
  if (!whole.success || faults.length > 0) throw faulty(faults);
  return assemble(whole.data, cellIds, placements);
}

function assemble(
  snapshot: DirectorySnapshot,
  cellIds: string[],
  placements: PlacementTable,
): DirectoryTable {
  const hosts = buildHostTable(snapshot);
  const cells = cellIds.flatMap((id) => hosts.cells.get(id) ?? []);
  return { hosts, cells, placements };
}

function pack(tenants: Record<string, unknown>, cellIds: string[], faults: Fault[]): PlacementTable {
  const numbers = new Map(cellIds.map((id, n) => [id, n]));
  const ids = Object.keys(tenants);
  let keyBytes = 0;
  for (const id of ids) keyBytes += id.length;
  function* entries(): Generator<PackedEntry> {
    const entry: PackedEntry = { tenantId: "", cell: 0, epoch: 0 };
    for (const tenantId of ids) {
      const fault = readEntry(tenantId, tenants[tenantId], numbers, entry);
      if (fault === undefined) yield entry;
      else if (faults.length < shownFaults) faults.push({ path: `/tenants/${tenantId}`, message: fault });
    }
  }
  return PlacementTable.build(entries(), ids.length, keyBytes);
}

/** Fill `into`, or say what is wrong. */
function readEntry(
  tenantId: string,
  value: unknown,
  cells: ReadonlyMap<string, number>,
  into: PackedEntry,
): string | undefined {
  if (!isTenantId(tenantId)) return "is not a tenant id";
  if (!Array.isArray(value) || value.length !== 2) return "is not [cell, epoch]";
  const cell = cells.get(value[0]);
  if (cell === undefined) return "names an unknown cell";
  const epoch: unknown = value[1];
  if (typeof epoch !== "number" || !Number.isInteger(epoch) || epoch < 1 || epoch > 0xffffffff)
    return "has no valid epoch";
  into.tenantId = tenantId;
  into.cell = cell;
  into.epoch = epoch;
  return undefined;
}

function faulty(faults: readonly Fault[]): Error {
  const lines = faults.slice(0, shownFaults).map((f) => `${f.path === "" ? "/" : f.path} ${f.message}`);
  return new Error(`the snapshot is not valid: ${lines.join("; ")}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
