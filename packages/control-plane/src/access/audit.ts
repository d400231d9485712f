import type { AuditRecord } from "@proveniq/contracts";
import { readAudit } from "@proveniq/db/control";
import { type CellDatabases, databasesOf, type TenantConnections } from "../connections.ts";

/**
 * Administrative changes, oldest first: those of the registry, and those that were recorded beside the data they
 * changed, in every database of the given cells. With `tenantId` only that tenant's.
 */
export async function listAudit(
  connections: TenantConnections,
  fleet: { manifests: Readonly<Record<string, CellDatabases>> },
  tenantId?: string,
): Promise<AuditRecord[]> {
  const databases = Object.entries(fleet.manifests).flatMap(([cell, m]) =>
    databasesOf(m).map((id) => ({ cell, id })),
  );
  const parts = await Promise.all([
    connections.control.audit(),
    ...databases.map(({ cell, id }) => readAudit(connections.cell(cell), id)),
  ]);
  return parts
    .flat()
    .filter((record) => tenantId === undefined || record.target === tenantId)
    .sort((a, b) => a.at.localeCompare(b.at));
}
