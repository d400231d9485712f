import { type CellManifest, faultsOf, type TenantSettings, tenantSettings } from "@proveniq/contracts";
import type { Origin } from "@proveniq/db/control";
import type { TenantConnections } from "../connections.ts";
import { RefusedError } from "../refused.ts";
import { accessOf, auditOf } from "./place.ts";

/** What a tenant has set for itself, defaults included. Throws `RefusedError` for an unknown tenant. */
export async function getTenantSettings(
  connections: TenantConnections,
  tenantId: string,
): Promise<TenantSettings> {
  return (await accessOf(connections, tenantId)).settings();
}

/**
 * Change some settings; the others stay. Its cell follows within ten seconds. Throws `RefusedError` for an unknown
 * tenant, a setting that is not valid, and an issuer that the tenant's cell does not trust.
 */
export async function setTenantSettings(
  connections: TenantConnections,
  fleet: { manifests: Readonly<Record<string, Pick<CellManifest, "issuers">>> },
  tenantId: string,
  change: Partial<TenantSettings>,
  origin: Origin,
  now: () => Date = () => new Date(),
): Promise<TenantSettings> {
  const parsed = tenantSettings.partial().safeParse(change);
  if (!parsed.success) {
    const lines = faultsOf(parsed.error).map((f) => `${f.path.slice(1) || "settings"} ${f.message}`);
    throw new RefusedError(lines.join("; "));
  }
  const access = await accessOf(connections, tenantId);
  if (parsed.data.issuer !== undefined && parsed.data.issuer !== null) {
    const cellId = (await connections.control.get(tenantId))?.cellId ?? "";
    const trusted = fleet.manifests[cellId]?.issuers.map((i) => i.issuer) ?? [];
    if (!trusted.includes(parsed.data.issuer)) {
      throw new RefusedError(
        `cell ${cellId} trusts no issuer "${parsed.data.issuer}", only ${trusted.join(", ")}`,
      );
    }
  }
  const detail = Object.fromEntries(
    Object.entries(parsed.data).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(" ") : value,
    ]),
  );
  return access.changeSettings(parsed.data, auditOf(origin, now(), "tenant.set", tenantId, detail));
}
