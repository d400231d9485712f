import type {
  CollectionReference,
  DocumentData,
  DocumentReference,
  Firestore,
} from "@google-cloud/firestore";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { millisOf } from "../times.ts";
import { outboxRef } from "./page.ts";
import { type SinkState, sinkDocument, sinkStateOf, sinkStateRef } from "./sink-state.ts";

const asideCollection = (db: Firestore): CollectionReference => db.collection("outboxAside");
export const asideRef = (db: Firestore, name: string): DocumentReference => asideCollection(db).doc(name);

/** A page that was set aside: as it was, with why and when. */
export const asideDocument = (page: DocumentData, reason: string, at: Date): DocumentData => ({
  page,
  reason,
  at,
});

export interface PageAside {
  name: string;
  /** Where the fault was; never what was there. */
  reason: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** The pages of a database that were set aside. */
export async function listAside(db: Firestore): Promise<PageAside[]> {
  return withinDeadline(operationTimeoutMs, async () => {
    const { docs } = await asideCollection(db).get();
    return docs.map((doc) => ({
      name: doc.id,
      reason: String(doc.get("reason")),
      at: millisOf(doc.get("at")),
    }));
  });
}

/** Put every page that was set aside back into the outbox. How many there were. */
export async function retryAside(db: Firestore): Promise<number> {
  const pages = await listAside(db);
  for (const { name } of pages) {
    await withinDeadline(operationTimeoutMs, () =>
      db.runTransaction(async (tx) => {
        const aside = await tx.get(asideRef(db, name));
        if (!aside.exists) return;
        const page: DocumentData = aside.get("page");
        tx.set(outboxRef(db), page);
        tx.delete(aside.ref);
      }),
    );
  }
  return pages.length;
}

/** What the sink of a database has to say, for operators. `database`: `project/database`. */
export async function readSinkState(db: Firestore, database: string): Promise<SinkState> {
  return withinDeadline(operationTimeoutMs, async () => sinkStateOf(await sinkStateRef(db).get(), database));
}

/** Let a sink that stopped go on, on new streams. False when it had not stopped. */
export async function resumeSink(db: Firestore, database: string): Promise<boolean> {
  return withinDeadline(operationTimeoutMs, () =>
    db.runTransaction(async (tx) => {
      const state = sinkStateOf(await tx.get(sinkStateRef(db)), database);
      if (state.halted === null) return false;
      tx.set(
        sinkStateRef(db),
        sinkDocument({ ...state, halted: null, streams: null, plan: null, lease: null }),
      );
      return true;
    }),
  );
}

/** How many pages wait, counted one by one: for operators and tests. */
export async function countOutbox(db: Firestore): Promise<{ pages: number; events: number }> {
  const { docs } = await db.collection("outbox").select("events").get();
  return { pages: docs.length, events: docs.reduce((sum, doc) => sum + Number(doc.get("events") ?? 0), 0) };
}
