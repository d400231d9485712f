import { setTimeout as sleep } from "node:timers/promises";
import type { DocumentSnapshot, Firestore } from "@google-cloud/firestore";
import { z } from "zod";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { commitIfUnchanged } from "../market/compare-and-set.ts";
import type { ShareStore } from "./shared-budget.ts";
import { type ShareBook, whole } from "./shares.ts";

const book = z.record(
  z.string().min(1).max(100),
  z.strictObject({ parts: z.int().min(0).max(whole), until: z.number().min(0) }),
);

/** One text: as a map, each holder's name would get indexes of its own. */
const stored = z.object({ holders: z.string() });

/** What a `shares` document says. Throws when it says anything else. */
export function readShares(snapshot: DocumentSnapshot): ShareBook {
  return snapshot.exists ? book.parse(JSON.parse(stored.parse(snapshot.data()).holders)) : {};
}

/** Changes of others that get in between, until this one is given up. */
const attempts = 10;

/**
 * The holdings of one budget in a Firestore. A change takes one read and one write, and no lock: what was written
 * meanwhile has it made again.
 *
 * @param name Which budget: what has another name shares another one.
 */
export function firestoreShares(open: () => Promise<Firestore>, name: string): ShareStore {
  return {
    change: (change) =>
      withinDeadline(operationTimeoutMs, async (expired) => {
        const db = await open();
        for (let n = 0; n < attempts && !expired(); n += 1) {
          if (n > 0) await sleep(Math.random() * 50 * n);
          const before = await db.collection("shares").doc(name).get();
          // The database's own clock is the only one that all holders have in common.
          const changed = change(readShares(before), before.readTime.toMillis());
          const next = { holders: JSON.stringify(changed.book) };
          if (await commitIfUnchanged(db, before, next, () => undefined)) return changed;
        }
        throw new Error(`the shares of ${name} change all the time`);
      }),
  };
}
