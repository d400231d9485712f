import type { AuditRecord } from "@proveniq/contracts";
import type { Origin } from "@proveniq/db/control";
import { AccessWriter } from "@proveniq/db/control";
import type { TenantConnections } from "../connections.ts";
import { RefusedError } from "../refused.ts";

/** The keys and settings of a tenant, where the registry says it is. Throws `RefusedError` for an unknown tenant. */
export async function accessOf(connections: TenantConnections, tenantId: string): Promise<AccessWriter> {
  const placement = await connections.control.get(tenantId);
  if (placement === undefined) {
    throw new RefusedError(`there is no tenant "${tenantId}"; see \`fleet tenants list\``);
  }
  return new AccessWriter(connections.cell(placement.cellId), placement);
}

/** Who did what to which tenant, when and from where. */
export function auditOf(
  origin: Origin,
  at: Date,
  action: string,
  tenantId: string,
  detail: AuditRecord["detail"],
): AuditRecord {
  return { ...origin, at: at.toISOString(), action, target: tenantId, detail };
}
