import type { DocumentReference, Firestore, Transaction } from "@google-cloud/firestore";
import { type DirectorySnapshot, directorySnapshot } from "@proveniq/contracts";
import { z } from "zod";

/** How many published directories are kept. */
export const keptDirectories = 50;

const head = z.object({ versions: z.array(z.int()) });

/** The versions that are kept, oldest first. */
export async function publishedVersions(db: Firestore): Promise<number[]> {
  return versionsIn((await headRef(db).get()).data());
}

/** What was published under a version; undefined when it is not kept, or was never published. */
export async function readPublished(db: Firestore, version: number): Promise<DirectorySnapshot | undefined> {
  const text: unknown = (await snapshotRef(db, version).get()).get("text");
  return typeof text === "string" ? directorySnapshot.parse(JSON.parse(text)) : undefined;
}

/** The documents that a publication touches and the registry's counter, read at once. `mine`: it has happened already. */
export async function openPublication(
  tx: Transaction,
  db: Firestore,
  snapshot: DirectorySnapshot,
  counterRef: DocumentReference,
) {
  const [list, present, counter] = await tx.getAll(
    headRef(db),
    snapshotRef(db, snapshot.version),
    counterRef,
  );
  const text = JSON.stringify(snapshot);
  const versions = versionsIn(list?.data());
  return {
    mine: present?.get("text") === text,
    counter: counter?.get("version") as unknown,
    /** Writes the snapshot and forgets the oldest beyond those that are kept. */
    record: () => {
      const all = [...versions, snapshot.version];
      tx.create(snapshotRef(db, snapshot.version), { version: snapshot.version, text });
      tx.set(headRef(db), { versions: all.slice(-keptDirectories) });
      for (const old of all.slice(0, -keptDirectories)) tx.delete(snapshotRef(db, old));
    },
  };
}

function versionsIn(stored: unknown): number[] {
  return stored === undefined ? [] : head.parse(stored).versions;
}

/** One list instead of a query: what is kept is bounded. */
function headRef(db: Firestore): DocumentReference {
  return db.collection("directories").doc("head");
}

function snapshotRef(db: Firestore, version: number): DocumentReference {
  return db.collection("directories").doc(`v${version}`);
}
