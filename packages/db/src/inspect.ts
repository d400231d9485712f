import {
  type Claim,
  claim,
  type Pause,
  pausable,
  pause,
  type ReplicaState,
  tenantLocator,
} from "@proveniq/contracts";
import { readState } from "./imports/documents.ts";
import { importsStateRef } from "./imports/paths.ts";
import { stateRef } from "./market/layout.ts";
import { stateOf } from "./market/replica-state.ts";
import { claimRef } from "./paths.ts";
import { pausedIn, pauseRef } from "./pauses/reader.ts";
import type { DatabasePool } from "./pool.ts";

/** What operators see of one tenant in its cell: nothing of its data. */
export interface InspectedTenant {
  tenantId: string;
  /** Undefined: the locator is there and the claim is not. */
  claim: Claim | undefined;
  /** Imports that are open. */
  imports: number;
}

/** More tenants than these are not looked at one by one. */
export const inspectedTenants = 500;

/** Load what a database's client needs, so that no time limit of a later question is spent on it. */
export async function loadClient(): Promise<void> {
  await Promise.all([import("firebase-admin/app"), import("firebase-admin/firestore")]);
}

/** How far a cell's replica of market values is. */
export async function inspectReplica(pool: DatabasePool, marketDatabase: string): Promise<ReplicaState> {
  return stateOf(await stateRef(await pool.open(marketDatabase)).get());
}

/** What an operator has paused in a cell. `home`: its default database. */
export async function inspectPauses(
  pool: DatabasePool,
  home: string,
  marketDatabase: string,
): Promise<Pause[]> {
  const found = await Promise.all(
    pausable.options.map(async (what) => {
      const db = await pool.open(pausedIn(what, home, marketDatabase));
      const snapshot = await pauseRef(db, what).get();
      return snapshot.exists ? [pause.parse(snapshot.data())] : [];
    }),
  );
  return found.flat();
}

/**
 * The tenants that a cell has, from its own locators, with claims and open imports; the first `inspectedTenants` of them. Asks
 * nobody but the cell's databases, those that `databases` allows.
 */
export async function inspectTenants(
  pool: DatabasePool,
  databases: readonly string[],
): Promise<InspectedTenant[]> {
  const [home = ""] = databases;
  const { docs } = await (await pool.open(home)).collection("tenants").limit(inspectedTenants).get();
  const located = docs.flatMap((doc) => tenantLocator.safeParse(doc.data()).data ?? []);
  const found = await Promise.all(
    databases.map(async (database) => {
      const mine = located.filter((l) => l.databaseId === database).map((l) => l.tenantId);
      if (mine.length === 0) return [];
      const db = await pool.open(database);
      const [claims, imports] = await Promise.all([
        db.getAll(...mine.map((tenant) => claimRef(db, tenant, 0))),
        db.getAll(...mine.map((tenant) => importsStateRef(db, tenant))),
      ]);
      return mine.map((tenantId, n): InspectedTenant => {
        const [copy, state] = [claims[n], imports[n]];
        return {
          tenantId,
          claim: copy?.exists === true ? claim.parse(copy.data()) : undefined,
          imports: state === undefined ? 0 : Object.keys(readState(state).open).length,
        };
      });
    }),
  );
  return found.flat();
}
