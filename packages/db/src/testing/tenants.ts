import type { ItemInput } from "@proveniq/contracts";
import { establishTenant } from "../claims.ts";
import { DatabasePool } from "../pool.ts";
import {
  openTenant,
  type StoredItem,
  type TenantBinding,
  type TenantDb,
  type WriteOptions,
} from "../tenant/index.ts";

/** A cell's databases on an emulator, with tenants in them; for tests. `close()` when done. */
export async function testCell(emulatorHost: string, projectId: string, ...tenants: string[]) {
  const pool = new DatabasePool({ projectId, allow: ["(default)", "second"], emulatorHost });
  for (const tenantId of tenants) await addTestTenant(pool, tenantId);
  return {
    pool,
    firestore: await pool.open("(default)"),
    open: (tenantId: string, more: Partial<TenantBinding> = {}): TenantDb =>
      openTenant(pool, bindingOf(tenantId, more)),
    close: () => pool.close(),
  };
}

export async function addTestTenant(pool: DatabasePool, tenantId: string, copies = 3): Promise<void> {
  const databaseId = "(default)";
  await establishTenant(pool, { tenantId, databaseId, defaultDatabase: databaseId, epoch: 1, copies });
}

export function bindingOf(tenantId: string, more: Partial<TenantBinding> = {}): TenantBinding {
  const actor = { kind: "key", id: "key-1" } as const;
  return { tenantId, databaseId: "(default)", epoch: 1, claimCopies: 3, actor, ...more };
}

/** A handle's binding for a person. */
export function person(ownerId: string): Partial<TenantBinding> {
  return { ownerId, actor: { kind: "person", id: ownerId } };
}

/** Answers with the whole item, as a stand-in for the API. */
export const respond: WriteOptions["respond"] = ({ item, etag }) => ({
  status: 200,
  headers: { etag },
  body: JSON.stringify(item),
});

/** What a write answered, read back from its stored response. */
export function answered(result: {
  response: { headers: Record<string, string>; body: string | null };
}): StoredItem {
  return { item: JSON.parse(result.response.body ?? "null"), etag: result.response.headers["etag"] ?? "" };
}

export function ring(more: Partial<ItemInput> = {}): ItemInput {
  return { title: "Ring", category: "jewellery", ...more };
}
