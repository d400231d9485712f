import type { CollectionReference, DocumentReference, Firestore } from "@google-cloud/firestore";
import { isTenantId, itemId } from "@proveniq/contracts";

/**
 * Every path in a tenant's database is built here, from ids that were checked here, so that no input can reach
 * into another tenant's tree.
 */
export function tenantRef(firestore: Firestore, tenantId: string): DocumentReference {
  if (!isTenantId(tenantId)) throw new Error("not a tenant id");
  return firestore.collection("tenants").doc(tenantId);
}

export function claimRef(firestore: Firestore, tenantId: string, copy: number): DocumentReference {
  return tenantRef(firestore, tenantId).collection("claims").doc(String(copy));
}

export function itemsRef(firestore: Firestore, tenantId: string): CollectionReference {
  return tenantRef(firestore, tenantId).collection("items");
}

/** The document of an item; undefined when the id cannot be one. */
export function itemRef(firestore: Firestore, tenantId: string, id: string): DocumentReference | undefined {
  return itemId.safeParse(id).success ? itemsRef(firestore, tenantId).doc(id) : undefined;
}

/** `hash`: 64 hex digits. */
export function receiptRef(firestore: Firestore, tenantId: string, hash: string): DocumentReference {
  return tenantRef(firestore, tenantId).collection("idempotency").doc(hash);
}

/** Since when the tenant knows a person. `hash`: of the owner's id, 64 hex digits. */
export function personRef(firestore: Firestore, tenantId: string, hash: string): DocumentReference {
  return tenantRef(firestore, tenantId).collection("people").doc(hash);
}

/** The keys of a tenant's partner. */
export function apiKeysRef(firestore: Firestore, tenantId: string): CollectionReference {
  return tenantRef(firestore, tenantId).collection("apiKeys");
}

/** The one document of a tenant's settings. */
export function settingsRef(firestore: Firestore, tenantId: string): DocumentReference {
  return tenantRef(firestore, tenantId).collection("settings").doc("current");
}

/** Administrative changes made in this database, of all its tenants. Append-only. */
export function auditRef(firestore: Firestore): CollectionReference {
  return firestore.collection("audit");
}

/** `name`: `book`, or the hash of an owner. */
export function portfolioRef(firestore: Firestore, tenantId: string, name: string): DocumentReference {
  return tenantRef(firestore, tenantId).collection("portfolios").doc(name);
}
