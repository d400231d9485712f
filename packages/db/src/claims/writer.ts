import type { Firestore } from "@google-cloud/firestore";
import { type Claim, claim, tenantLocator } from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { claimRef, tenantRef } from "../paths.ts";
import type { DatabasePool } from "../pool.ts";

export interface NewTenant {
  tenantId: string;
  databaseId: string;
  /** The cell's default database, where the locator goes. */
  defaultDatabase: string;
  epoch: number;
  /** Equal copies of the claim: more for a tenant with many writes a second. They may grow later, never shrink. */
  copies: number;
}

/**
 * Makes a tenant known to its cell: an active claim in its own database, then the locator in the cell's default
 * one, so that whoever finds a locator finds a claim. Doing it again changes nothing; when something else is
 * there already it throws and changes nothing.
 */
export async function establishTenant(pool: DatabasePool, tenant: NewTenant): Promise<void> {
  const { tenantId, databaseId, defaultDatabase, epoch, copies } = tenant;
  await withinDeadline(operationTimeoutMs, async (expired) => {
    const home = await pool.open(defaultDatabase);
    const own = await pool.open(databaseId);
    const wanted = claim.parse({ tenantId, state: "active", epoch, copies } satisfies Claim);
    await own.runTransaction(async (tx) => {
      const first = await tx.get(claimRef(own, tenantId, 0));
      if (first.exists) {
        const there = claim.parse(first.data());
        if (there.epoch === epoch && there.state === "active") return;
        throw new Error(
          `tenant ${tenantId} already has a claim here (${there.state}, epoch ${there.epoch}): ` +
            "it was moved, suspended or added otherwise",
        );
      }
      if (expired()) throw new Error("too late");
      for (let n = 0; n < copies; n++) tx.create(claimRef(own, tenantId, n), wanted);
    });
    await home.runTransaction(async (tx) => {
      const ref = tenantRef(home, tenantId);
      const there = await tx.get(ref);
      if (!there.exists) {
        tx.create(ref, tenantLocator.parse({ tenantId, databaseId }));
      } else if (tenantLocator.parse(there.data()).databaseId !== databaseId) {
        throw new Error(`tenant ${tenantId} is already kept in another database of this cell`);
      }
    });
  });
}

/**
 * Replaces every copy of a claim at once, after `change` has seen the present one (and may throw). Writers that
 * have read a copy finish first or run again and see the new state.
 */
export async function setClaim(
  firestore: Firestore,
  tenantId: string,
  change: (present: Claim) => Claim,
): Promise<Claim> {
  return withinDeadline(operationTimeoutMs, () =>
    firestore.runTransaction(async (tx) => {
      const first = await tx.get(claimRef(firestore, tenantId, 0));
      const present = claim.parse(first.data());
      const next = claim.parse({ ...change(present), tenantId });
      if (next.copies < present.copies) throw new Error("copies of a claim may grow, never shrink");
      for (let n = 0; n < next.copies; n++) tx.set(claimRef(firestore, tenantId, n), next);
      return next;
    }),
  );
}
