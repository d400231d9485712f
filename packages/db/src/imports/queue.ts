import type { DocumentReference, DocumentSnapshot } from "@google-cloud/firestore";
import { ProblemError } from "@proveniq/contracts";
import {
  importDocument,
  queueDocument,
  readImport,
  readQueue,
  readState,
  stateDocument,
} from "./documents.ts";
import { guarded } from "./guarded.ts";
import { importsStateRef, queueRef } from "./paths.ts";
import type { ImportRecord, ImportsState, Queue } from "./types.ts";
import type { Place } from "./work.ts";

/** How long a lease holds without a sign of life, and how often one is given, in milliseconds. */
const leaseMs = 6_000;
const renewMs = 2_000;

/** An import, its tenant's queue and open imports, as they are and as they are to be. */
export interface Entry {
  record: ImportRecord;
  queue: Queue;
  state: ImportsState;
}

/**
 * Change an import together with the queue and the list of open imports, in one transaction. `change` answers what is to be
 * different; undefined: nothing. Throws `not-found` when there is no such import.
 */
export async function change(
  place: Place,
  apply: (now: Entry) => Partial<Entry> | undefined,
): Promise<ImportRecord> {
  const { firestore, binding, job } = place;
  const refs = [
    job,
    queueRef(firestore, binding.tenantId),
    importsStateRef(firestore, binding.tenantId),
  ] as const;
  return guarded(firestore, binding, refs, ([jobDoc, queueDoc, stateDoc], tx) => {
    const record = readImport(jobDoc);
    if (record === undefined) throw noImport();
    const now = { record, queue: readQueue(queueDoc), state: readState(stateDoc) };
    const next = apply(now);
    if (next === undefined) return record;
    if (next.record !== undefined) tx.set(job, importDocument({ ...next.record, updatedAt: new Date() }));
    if (next.queue !== undefined) tx.set(refs[1], queueDocument(next.queue));
    if (next.state !== undefined) tx.set(refs[2], stateDocument(next.state));
    return next.record ?? record;
  });
}

export function noImport(): ProblemError {
  return new ProblemError("not-found", "There is no such import.");
}

/** The queue without an import. */
export function without({ entries, ...rest }: Queue, id: string): Queue {
  return { ...rest, entries: entries.filter((entry) => entry.id !== id) };
}

/** The list of open imports without one. */
export function closedIn({ open, ...rest }: ImportsState, id: string): ImportsState {
  const { [id]: _, ...others } = open;
  return { ...rest, open: others };
}

export async function readQueueOf({ firestore, binding }: Place): Promise<Queue> {
  return readQueue(await queueRef(firestore, binding.tenantId).get());
}

/** The right to work on the first of the queue, as long as signs of life are given. */
export class Lease {
  readonly #place: Place;
  readonly #token: string;
  #renewedAt = 0;
  #id = "";

  constructor(place: Place, token: string) {
    this.#place = place;
    this.#token = token;
  }

  /** Who is first; undefined when `id` is not in the queue, `"taken"` when somebody else works on it. */
  async take(id: string): Promise<Queue["entries"][number] | "taken" | undefined> {
    this.#id = id;
    return this.#change<Queue["entries"][number] | "taken" | undefined>((queue) => {
      const [first] = queue.entries;
      if (first === undefined || !queue.entries.some((entry) => entry.id === id))
        return { result: undefined };
      const { lease } = queue;
      if (lease !== undefined && lease.token !== this.#token && lease.until > Date.now()) {
        return { result: "taken" };
      }
      this.#renewedAt = Date.now();
      return { result: first, lease: { token: this.#token, until: Date.now() + leaseMs } };
    });
  }

  /** Give a sign of life, if the last is long ago. */
  async tick(): Promise<void> {
    if (Date.now() - this.#renewedAt > renewMs) await this.take(this.#id);
  }

  async release(): Promise<void> {
    await this.#change((queue) =>
      queue.lease?.token === this.#token ? { result: undefined, lease: null } : { result: undefined },
    );
  }

  /** Take a thing off the queue that is there no more. */
  async drop(id: string): Promise<void> {
    const { firestore, binding } = this.#place;
    const ref = queueRef(firestore, binding.tenantId);
    await guarded(firestore, binding, [ref], ([snapshot], tx) => {
      tx.set(ref, queueDocument(without(readQueue(snapshot), id)));
    });
  }

  async #change<T>(apply: (queue: Queue) => { result: T; lease?: Queue["lease"] | null }): Promise<T> {
    const { firestore, binding } = this.#place;
    const ref: DocumentReference = queueRef(firestore, binding.tenantId);
    return guarded(firestore, binding, [ref], ([snapshot]: readonly [DocumentSnapshot], tx) => {
      const queue = readQueue(snapshot);
      const { result, lease } = apply(queue);
      if (lease !== undefined) {
        const { lease: _, ...rest } = queue;
        tx.set(ref, queueDocument(lease === null ? rest : { ...rest, lease }));
      }
      return result;
    });
  }
}
