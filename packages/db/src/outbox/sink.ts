import { type DocumentReference, FieldPath, type Firestore, type Transaction } from "@google-cloud/firestore";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { OwnLease } from "../lease/lease.ts";
import { millisOf } from "../times.ts";
import { asideDocument, asideRef } from "./aside.ts";
import { outboxCollection, unpacked } from "./page.ts";
import {
  type DeliveryPlan,
  type SinkState,
  type SinkStreams,
  sinkDocument,
  sinkStateOf,
  sinkStateRef,
} from "./sink-state.ts";

export type { DeliveryPlan, SinkState, SinkStreams } from "./sink-state.ts";

/** A page that waits, without what is in it. */
export interface WaitingPage {
  name: string;
  events: number;
  /** Milliseconds since 1970. */
  writtenAt: number;
}

/**
 * The outbox of one database as its sink sees it. Every change of the state is one transaction that checks the lease, so that a
 * sink that slept through its lease can change nothing; and each finds its own earlier run when a reply was lost.
 */
export class OutboxSink {
  readonly #db: Firestore;
  readonly #database: string;
  readonly #lease: OwnLease;
  #state: SinkState | undefined;
  /** By this process's clock. */
  #heldUntil = 0;

  /** `database`: `project/database`. `holder`: unique to this process. */
  constructor(db: Firestore, database: string, holder: string, leaseMs: number) {
    this.#db = db;
    this.#database = database;
    this.#lease = new OwnLease("this outbox", holder, leaseMs);
  }

  /** The state, with the lease taken, or renewed when half of it is over. Undefined while another sink holds it. */
  async acquire(): Promise<SinkState | undefined> {
    if (this.#state !== undefined && performance.now() < this.#heldUntil - this.#lease.ms / 2)
      return this.#state;
    return this.#transact(async (_tx, state, now) =>
      this.#lease.mayTake(state.lease, now) ? state : undefined,
    );
  }

  /** Make sure that the lease is still ours. Rejects with `LeaseLost`. */
  async confirm(): Promise<void> {
    await this.#change((state) => state);
  }

  /** Let the next sink in at once. */
  async release(): Promise<void> {
    this.#state = undefined;
    await withinDeadline(operationTimeoutMs, () =>
      this.#db.runTransaction(async (tx) => {
        const state = sinkStateOf(await tx.get(sinkStateRef(this.#db)), this.#database);
        if (this.#lease.holds(state.lease))
          tx.set(sinkStateRef(this.#db), sinkDocument({ ...state, lease: null }));
      }),
    );
  }

  /** Up to `limit` pages by name, from behind `after`. Their blobs are not read. */
  async list(limit: number, after: string | null): Promise<WaitingPage[]> {
    return withinDeadline(operationTimeoutMs, async () => {
      const all = outboxCollection(this.#db).orderBy(FieldPath.documentId()).select("events", "writtenAt");
      const { docs } = await (after === null ? all : all.startAfter(after)).limit(limit).get();
      return docs.map((doc) => ({
        name: doc.id,
        events: Number(doc.get("events") ?? 0),
        writtenAt: millisOf(doc.get("writtenAt")),
      }));
    });
  }

  /** The bytes of some pages, in their order; undefined for one that is not there or has none. One that cannot be unpacked stays as it is. */
  async read(names: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (names.length === 0) return [];
    return withinDeadline(operationTimeoutMs, async () => {
      const docs = await this.#db.getAll(...names.map((name) => this.#page(name)));
      return docs.map((doc) => {
        const blob: unknown = doc.get("page");
        if (!(blob instanceof Uint8Array)) return undefined;
        try {
          return unpacked(blob);
        } catch {
          return blob;
        }
      });
    });
  }

  /** Write down the streams to use from now on; `null` to ask for new ones, with what was planned on the old ones dropped. */
  async setStreams(streams: SinkStreams | null): Promise<SinkState> {
    return this.#change((state) => ({
      ...state,
      database: this.#database,
      streams,
      plan: streams === null ? null : state.plan,
    }));
  }

  /** Write down a delivery before it is made. */
  async plan(plan: DeliveryPlan, cursor: string | null): Promise<SinkState> {
    return this.#change((state) => {
      if (state.plan !== null && state.plan.id !== plan.id) throw new Error("a delivery is planned already");
      return { ...state, plan, cursor };
    });
  }

  /** A delivery is whole in the warehouse: its pages go, and the offsets move on. `newStreams`: its streams have ended. */
  async finish(plan: DeliveryPlan, newStreams = false): Promise<SinkState> {
    return this.#change((state, tx) => {
      if (state.last === plan.id) return state;
      if (state.plan?.id !== plan.id) throw new Error("another delivery is planned");
      for (const name of plan.pages) tx.delete(this.#page(name));
      const { streams, delivered } = state;
      const next = (of: keyof SinkStreams, by: { offset: number; rows: number }) => ({
        name: streams?.[of].name ?? "",
        offset: by.offset + by.rows,
      });
      return {
        ...state,
        plan: null,
        last: plan.id,
        streams:
          streams === null || newStreams
            ? null
            : {
                marks: next("marks", plan.marks),
                events: next("events", plan.rows),
                plans: next("plans", plan.control),
              },
        delivered: {
          plans: delivered.plans + 1,
          events: delivered.events + plan.events,
          eventRows: delivered.eventRows + plan.rows.rows,
          markRows: delivered.markRows + plan.marks.rows,
        },
      };
    });
  }

  /** Take a page that cannot be read out of the way, whole, with the reason. */
  async setAside(name: string, reason: string): Promise<SinkState> {
    return this.#change(async (state, tx, now) => {
      const page = await tx.get(this.#page(name));
      if (!page.exists) return state;
      tx.set(asideRef(this.#db, name), asideDocument(page.data() ?? {}, reason, new Date(now)));
      tx.delete(page.ref);
      return { ...state, setAside: state.setAside + 1 };
    });
  }

  /** Stop until somebody has looked. */
  async halt(reason: string): Promise<SinkState> {
    return this.#change((state, _tx, now) => ({
      ...state,
      halted: { reason, at: new Date(now).toISOString() },
    }));
  }

  #page(name: string): DocumentReference {
    return outboxCollection(this.#db).doc(name);
  }

  async #change(
    work: (state: SinkState, tx: Transaction, now: number) => SinkState | Promise<SinkState>,
  ): Promise<SinkState> {
    const state = await this.#transact((tx, current, now) => {
      this.#lease.check(current.lease);
      return Promise.resolve(work(current, tx, now));
    });
    if (state === undefined) throw this.#lease.lost();
    return state;
  }

  async #transact(
    work: (tx: Transaction, state: SinkState, now: number) => Promise<SinkState | undefined>,
  ): Promise<SinkState | undefined> {
    const began = performance.now();
    this.#state = undefined;
    const done = await withinDeadline(operationTimeoutMs, (expired) =>
      this.#db.runTransaction(async (tx) => {
        const snapshot = await tx.get(sinkStateRef(this.#db));
        // The database's clock, which all sinks share.
        const now = snapshot.readTime.toMillis();
        const next = await work(tx, sinkStateOf(snapshot, this.#database), now);
        if (next === undefined) return undefined;
        if (expired()) throw new Error("the time for this step has passed");
        const leased = { ...next, lease: this.#lease.from(now) };
        tx.set(sinkStateRef(this.#db), sinkDocument(leased));
        return leased;
      }),
    );
    this.#state = done;
    this.#heldUntil = began + this.#lease.ms;
    return done;
  }
}
