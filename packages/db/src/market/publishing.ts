import type { Firestore, WriteBatch } from "@google-cloud/firestore";
import {
  type BaseGeneration,
  type BasePart,
  baseGeneration,
  basePart,
  type ChangePage,
  changePage,
  type MarketHead,
  marketHead,
} from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { commitIfUnchanged } from "./compare-and-set.ts";
import type { BucketDigests } from "./digest.ts";
import { baseRef, basesRef, changeRef, changesRef, digestsRef, headRef, partRef, toBlob } from "./layout.ts";
import { PublishedMarket } from "./published.ts";

/** Somebody else published in the meantime. Nothing was written. */
export class PublishingConflict extends Error {
  constructor() {
    super("another publication is under way: wait until it has ended and publish again");
    this.name = "PublishingConflict";
  }
}

export interface NewPage {
  page: ChangePage;
  /** Unique to this attempt, made outside: by it a rerun knows its own work. */
  writeId: string;
  /** Of all values once the page is applied. */
  digests: BucketDigests;
  values: number;
}

/** The writing side of the centre, for whoever publishes. */
export class MarketPublishing {
  readonly #open: () => Promise<Firestore>;
  readonly published: PublishedMarket;

  /** `open` gives the central market database. */
  constructor(open: () => Promise<Firestore>) {
    this.#open = open;
    this.published = new PublishedMarket(open);
  }

  /** Publish one page: page, head and digests in one commit, and only as the successor of the present head. */
  async append({ page, writeId, digests, values }: NewPage): Promise<MarketHead> {
    const blob = toBlob(changePage.parse(page));
    const { lineage, sequence, publishedAt } = page;
    return this.#attempt((head) => {
      // An earlier attempt whose reply was lost was made after all.
      if (head?.writeId === writeId) return { made: head };
      if ((head?.sequence ?? 0) !== sequence - 1 || (head?.lineage ?? lineage) !== lineage) {
        throw new PublishingConflict();
      }
      const next = marketHead.parse({
        lineage,
        sequence,
        publishedAt,
        writeId,
        values,
        base: head?.base ?? null,
        changedSinceBase: (head?.changedSinceBase ?? 0) + page.upserts.length + page.withdrawn.length,
        oldestPage: head?.oldestPage ?? 1,
      } satisfies MarketHead);
      return {
        next,
        write: (batch, db) => {
          batch.create(changeRef(db, sequence), { sequence, publishedAt, page: blob });
          batch.set(digestsRef(db), { lineage, sequence, digests: digests.toBytes() });
        },
      };
    });
  }

  /**
   * Publish a base generation of the head's sequence: first its parts, then the generation, then the head that
   * names it. Pages are kept from the generation before it on, for replicas that are only a little behind. With
   * another lineage than the head's it begins a new run: every replica will start from this base.
   */
  async publishBase(
    head: MarketHead,
    base: BaseGeneration,
    parts: readonly BasePart[],
    digests: BucketDigests,
  ): Promise<MarketHead> {
    baseGeneration.parse(base);
    const { lineage, sequence } = base;
    for (const [n, part] of parts.entries()) {
      const blob = toBlob(basePart.parse(part));
      await withinDeadline(operationTimeoutMs, async () =>
        partRef(await this.#open(), sequence, n).set({ part: blob }),
      );
    }
    return this.#attempt((now) => {
      if (now?.lineage === lineage && now.base === sequence) return { made: now };
      if (now?.writeId !== head.writeId || now.lineage !== head.lineage) throw new PublishingConflict();
      const next = marketHead.parse({
        ...now,
        lineage,
        base: sequence,
        changedSinceBase: 0,
        oldestPage: lineage === now.lineage ? Math.max(now.oldestPage, (now.base ?? 0) + 1) : sequence + 1,
      } satisfies MarketHead);
      return {
        next,
        write: (batch, db) => {
          batch.set(baseRef(db, sequence), base);
          batch.set(digestsRef(db), { lineage, sequence, digests: digests.toBytes() });
        },
      };
    });
  }

  /** Remove pages and base generations that the head promises to nobody. Safe to break off and to repeat. */
  async discardSuperseded(head: MarketHead): Promise<{ pages: number; bases: number }> {
    const db = await this.#open();
    let pages = 0;
    for (;;) {
      const old = await changesRef(db)
        .where("__name__", "<", changeRef(db, head.oldestPage))
        .limit(400)
        .select()
        .get();
      if (old.empty) break;
      const batch = db.batch();
      for (const { ref } of old.docs) batch.delete(ref);
      await batch.commit();
      pages += old.size;
    }
    // The generation before the present one stays: a replica may be in the middle of it.
    const all = await basesRef(db).listDocuments();
    const bases = all.filter((ref) => Number(ref.id) < head.oldestPage - 1 && Number(ref.id) !== head.base);
    for (const ref of bases) await db.recursiveDelete(ref);
    return { pages, bases: bases.length };
  }

  /** Plan from the head as it is, and write; plan anew when the head has changed meanwhile. */
  async #attempt(plan: (head: MarketHead | undefined) => Plan): Promise<MarketHead> {
    return withinDeadline(operationTimeoutMs, async (expired) => {
      const db = await this.#open();
      for (;;) {
        const seen = await headRef(db).get();
        const planned = plan(seen.exists ? marketHead.parse(seen.data()) : undefined);
        if ("made" in planned) return planned.made;
        if (expired()) throw new Error("the time for this step has passed");
        if (await commitIfUnchanged(db, seen, planned.next, (batch) => planned.write(batch, db))) {
          return planned.next;
        }
      }
    });
  }
}

/** The head that is there already, or the next one and what is written with it. */
type Plan = { made: MarketHead } | { next: MarketHead; write: (batch: WriteBatch, db: Firestore) => void };
