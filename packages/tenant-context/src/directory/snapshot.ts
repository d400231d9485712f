import { directorySnapshot, type Fault, faultsOf, isTenantId, maxEpoch } from "@proveniq/contracts";
import { buildHostTable } from "./host-table.ts";
import { type PlacementTable, PlacementTableBuilder } from "./placement-table.ts";
import { scanTenants } from "./scan-tenants.ts";
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
 * contract says.
 */
export function parseSnapshot(text: string): DirectoryTable {
  return scanned(text) ?? tableOf(JSON.parse(text));
}

/**
 * The quick way, for a snapshot written without spaces and without a fault: its tenants go from the text straight into
 * the table, without an object for each. Undefined for any other, which the thorough way reads or explains.
 */
function scanned(text: string): DirectoryTable | undefined {
  const found = scanTenants(text);
  if (found === undefined) return undefined;
  const { tenantHosts, ...rest } = parsed(found.rest);
  const head = directorySnapshot.safeParse({ ...rest, tenantHosts: {} });
  if (!head.success || Object.keys(head.data.tenants).length > 0) return undefined;
  const cellIds = Object.keys(head.data.topology.cells);
  const numbers = new Map(cellIds.map((id, n) => [id, n]));
  const builder = new PlacementTableBuilder(found.count, found.keyBytes);
  const good = found.each((tenantId, cellId, epoch) => {
    const cell = numbers.get(cellId);
    return cell !== undefined && isTenantId(tenantId) && isEpoch(epoch) && builder.add(tenantId, cell, epoch);
  });
  if (!good) return undefined;
  const placements = builder.finish();
  const known = isRecord(tenantHosts) ? Object.values(tenantHosts) : [0];
  if (known.some((id) => typeof id !== "string" || placements.find(id) === -1)) return undefined;
  return withHosts(rest, tenantHosts, cellIds, placements, []);
}

function parsed(text: string): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(text);
    return isRecord(document) ? document : {};
  } catch {
    return {};
  }
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
  return withHosts(rest, tenantHosts, cellIds, placements, faults);
}

/** Check the hosts of tenants against the placements, and put it all together. */
function withHosts(
  rest: Record<string, unknown>,
  tenantHosts: unknown,
  cellIds: readonly string[],
  placements: PlacementTable,
  faults: Fault[],
): DirectoryTable {
  // The contract is asked about the tenants that have hosts only: a schema over a million would take seconds.
  const owners = isRecord(tenantHosts) ? Object.values(tenantHosts) : [];
  const named = Object.fromEntries(
    owners.flatMap((id) =>
      typeof id === "string" && placements.find(id) !== -1 ? [[id, [cellIds[0], 1]]] : [],
    ),
  );
  const whole = directorySnapshot.safeParse({ ...rest, tenants: named, tenantHosts });
  if (!whole.success) faults.push(...faultsOf(whole.error));
  if (!whole.success || faults.length > 0) throw faulty(faults);
  const hosts = buildHostTable(whole.data);
  const cells = cellIds.flatMap((id) => hosts.cells.get(id) ?? []);
  return { hosts, cells, placements };
}

function pack(tenants: Record<string, unknown>, cellIds: string[], faults: Fault[]): PlacementTable {
  const numbers = new Map(cellIds.map((id, n) => [id, n]));
  const ids = Object.keys(tenants);
  let keyBytes = 0;
  for (const id of ids) keyBytes += id.length;
  const builder = new PlacementTableBuilder(ids.length, keyBytes);
  for (const tenantId of ids) {
    const value = tenants[tenantId];
    const fault = faultOf(tenantId, value, numbers);
    if (fault === undefined && Array.isArray(value))
      builder.add(tenantId, numbers.get(value[0]) ?? 0, value[1]);
    else if (faults.length < shownFaults)
      faults.push({ path: `/tenants/${tenantId}`, message: fault ?? "is not valid" });
  }
  return builder.finish();
}

function faultOf(tenantId: string, value: unknown, cells: ReadonlyMap<string, number>): string | undefined {
  if (!isTenantId(tenantId)) return "is not a tenant id";
  if (!Array.isArray(value) || value.length !== 2) return "is not [cell, epoch]";
  if (!cells.has(value[0])) return "names an unknown cell";
  return isEpoch(value[1]) ? undefined : "has no valid epoch";
}

function isEpoch(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= maxEpoch;
}

function faulty(faults: readonly Fault[]): Error {
  const lines = faults.slice(0, shownFaults).map((f) => `${f.path === "" ? "/" : f.path} ${f.message}`);
  return new Error(`the snapshot is not valid: ${lines.join("; ")}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
