import type { DocumentReference, DocumentSnapshot, Firestore, Transaction } from "@google-cloud/firestore";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { claimRef } from "../paths.ts";
import { admit } from "../tenant/admit.ts";
import type { TenantBinding } from "../tenant/types.ts";

type Snapshots<R extends readonly DocumentReference[]> = { [K in keyof R]: DocumentSnapshot };

/**
 * A change of an import's own state: a transaction that checks the claim and reads `refs` first. `apply` may run
 * several times and sets the same each time, so a commit whose reply was lost may simply be made again.
 */
export async function guarded<const R extends readonly DocumentReference[], T>(
  firestore: Firestore,
  binding: TenantBinding,
  refs: R,
  apply: (documents: Snapshots<R>, tx: Transaction) => T | Promise<T>,
): Promise<T> {
  const claim = claimRef(firestore, binding.tenantId, Math.floor(Math.random() * binding.claimCopies));
  return withinDeadline(operationTimeoutMs, () =>
    firestore.runTransaction(async (tx) => {
      const [claimed, ...documents] = await tx.getAll(claim, ...refs);
      if (claimed === undefined || documents.length !== refs.length)
        throw new Error("Firestore left out a document");
      admit(claimed, binding);
      return apply(documents as Snapshots<R>, tx);
    }),
  );
}
