import { randomUUID } from "node:crypto";
import type { Firestore } from "@google-cloud/firestore";
import { type Claim, claim, tenantLocator } from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { readState } from "../imports/documents.ts";
import { importsStateRef } from "../imports/paths.ts";
import { claimRef, itemsRef, tenantRef } from "../paths.ts";
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

/** A removal that was killed lets go of the tenant after this, in milliseconds. */
const fenceMs = 60_000;

/** Why a tenant cannot be taken out of its cell; nothing has changed. */
export class TenantInUse extends Error {}

/**
 * Takes a tenant without data out of its cell, with its keys, settings and receipts: first no write is let in, then it is looked
 * whether there is anything, then the claim goes, so that no write can come any more, then the rest. Doing it again goes on with
 * what is left. Throws `TenantInUse` when it has items or open imports, or is not active.
 */
export async function retireTenant(
  pool: DatabasePool,
  { tenantId, databaseId, defaultDatabase, epoch }: Omit<NewTenant, "copies">,
  now: () => number = Date.now,
): Promise<void> {
  const own = await pool.open(databaseId);
  const home = await pool.open(defaultDatabase);
  const token = randomUUID();
  if (await fenceOff(own, tenantId, epoch, { token, deadline: new Date(now() + fenceMs).toISOString() })) {
    const held = await withinDeadline(operationTimeoutMs, () => heldBy(own, tenantId));
    if (held !== undefined) {
      await setClaim(own, tenantId, ({ epoch, copies }) => ({ tenantId, state: "active", epoch, copies }));
      throw new TenantInUse(held);
    }
    await withinDeadline(operationTimeoutMs, () =>
      own.runTransaction(async (tx) => {
        const { fence, copies } = claim.parse((await tx.get(claimRef(own, tenantId, 0))).data());
        if (fence?.token !== token || Date.parse(fence.deadline) <= now())
          throw new TenantInUse("it took too long, or another is at work on it: try again");
        for (let n = 0; n < copies; n++) tx.delete(claimRef(own, tenantId, n));
      }),
    );
  } else {
    // A removal that was cut off: no write has been possible since its claim went.
    const held = await withinDeadline(operationTimeoutMs, () => heldBy(own, tenantId));
    if (held !== undefined) throw new TenantInUse(`${held}, and no claim: restore that first`);
  }
  await own.recursiveDelete(tenantRef(own, tenantId));
  await withinDeadline(operationTimeoutMs, () => tenantRef(home, tenantId).delete());
}

/** False when there is no claim. */
async function fenceOff(
  own: Firestore,
  tenantId: string,
  epoch: number,
  fence: NonNullable<Claim["fence"]>,
): Promise<boolean> {
  const first = await withinDeadline(operationTimeoutMs, () => claimRef(own, tenantId, 0).get());
  if (!first.exists) return false;
  await setClaim(own, tenantId, (present) => {
    const over = present.fence !== undefined && Date.parse(present.fence.deadline) <= Date.now();
    if (present.epoch !== epoch || (present.state !== "active" && !(present.state === "fenced" && over)))
      throw new TenantInUse(`it is ${present.state} at epoch ${present.epoch} in its cell`);
    return { ...present, state: "fenced", fence };
  });
  return true;
}

/** What a tenant still has, in words; undefined for nothing. */
async function heldBy(own: Firestore, tenantId: string): Promise<string | undefined> {
  const [items, imports] = await Promise.all([
    itemsRef(own, tenantId).select().limit(1).get(),
    importsStateRef(own, tenantId).get(),
  ]);
  if (!items.empty) return "it has items";
  const open = Object.keys(readState(imports).open).length;
  return open > 0 ? `it has ${open} open imports` : undefined;
}
