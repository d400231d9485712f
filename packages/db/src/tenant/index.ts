import { tenantId } from "@proveniq/contracts";
import { ImportStore } from "../imports/store.ts";
import { ItemStore } from "../items/store.ts";
import type { DatabasePool } from "../pool.ts";
import { PortfolioStore } from "../portfolio/store.ts";
import type { TenantBinding, TenantDb } from "./types.ts";

export type * from "../imports/types.ts";
export { undoUntil } from "../imports/undo-until.ts";
export type * from "../portfolio/types.ts";
export type * from "./types.ts";

/**
 * A handle on one tenant's data, and with `ownerId` on one person's. Opens the database on first use; every
 * write checks the claim and the epoch again in its own transaction.
 */
export function openTenant(pool: DatabasePool, binding: TenantBinding): TenantDb {
  tenantId.parse(binding.tenantId);
  const bound = Object.freeze({ ...binding, actor: Object.freeze({ ...binding.actor }) });
  return {
    binding: bound,
    items: new ItemStore(pool, bound),
    portfolio: new PortfolioStore(pool, bound),
    imports: new ImportStore(pool, bound),
  };
}
