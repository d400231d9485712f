import type { AuditRecord } from "@proveniq/contracts";
import { readAudit } from "@proveniq/db/control";
import { type CellDatabases, type Connections, databasesOf } from "../connections.ts";

/**
 * Administrative changes, oldest first: those of the registry, those that were recorded beside the data they changed, in every
 * database of the given cells, and deploys. With `tenantId` only that tenant's.
 */
export async function listAudit(
  connections: Pick<Connections, "control" | "cell" | "deploys">,
  fleet: { manifests: Readonly<Record<string, CellDatabases>> },
  tenantId?: string,
): Promise<AuditRecord[]> {
  const databases = Object.entries(fleet.manifests).flatMap(([cell, m]) =>
    databasesOf(m).map((id) => ({ cell, id })),
  );
  const parts = await Promise.all([
    connections.control.audit(),
    deploysIn(connections),
    ...databases.map(({ cell, id }) => readAudit(connections.cell(cell), id)),
  ]);
  return parts
    .flat()
    .filter((record) => tenantId === undefined || record.target === tenantId)
    .sort((a, b) => a.at.localeCompare(b.at));
}

/** Each deploy is recorded where who deploys may write, and that is not the registry. */
async function deploysIn({ deploys }: Pick<Connections, "deploys">): Promise<AuditRecord[]> {
  const records = await deploys.recent(Number.POSITIVE_INFINITY);
  return records.map(({ who, from, startedAt: at, cellId: target, artefact, outcome }) => ({
    who,
    from,
    at,
    target,
    action: "cell.deploy",
    detail: { digest: artefact.digest.slice(0, 12), outcome },
  }));
}
