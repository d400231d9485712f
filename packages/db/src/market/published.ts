import type { DocumentSnapshot, Firestore } from "@google-cloud/firestore";
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
import { BucketDigests } from "./digest.ts";
import { baseRef, changeRef, digestsRef, fromBlob, headRef, partRef } from "./layout.ts";

/** What the centre has published. Reads only; everything it hands out has been checked against its contract. */
export class PublishedMarket {
  readonly #open: () => Promise<Firestore>;
  /** Documents read so far: what the centre is billed for. */
  reads = 0;

  /** `open` gives the central market database. */
  constructor(open: () => Promise<Firestore>) {
    this.#open = open;
  }

  /** Undefined when nothing was ever published. */
  async head(): Promise<MarketHead | undefined> {
    const [head] = await this.#get((db) => [headRef(db)]);
    return head?.exists === true ? marketHead.parse(head.data()) : undefined;
  }

  /** The pages `from` … `to` that exist, in order; it ends before the first that does not. */
  async pages(from: number, to: number): Promise<ChangePage[]> {
    if (to < from) return [];
    const found = await this.#get((db) =>
      Array.from({ length: to - from + 1 }, (_, n) => changeRef(db, from + n)),
    );
    const gap = found.findIndex((page) => !page.exists);
    return (gap < 0 ? found : found.slice(0, gap)).map((page) =>
      changePage.parse(fromBlob(page.get("page"))),
    );
  }

  /** Undefined when it is not, or no longer, there. */
  async base(sequence: number): Promise<BaseGeneration | undefined> {
    const [base] = await this.#get((db) => [baseRef(db, sequence)]);
    return base?.exists === true ? baseGeneration.parse(base.data()) : undefined;
  }

  /** Undefined when the generation was removed in the meantime. */
  async part(base: BaseGeneration, part: number): Promise<BasePart | undefined> {
    const [found] = await this.#get((db) => [partRef(db, base.sequence, part)]);
    return found?.exists === true ? basePart.parse(fromBlob(found.get("part"))) : undefined;
  }

  /** A digest per bucket, and the sequence that they are of. */
  async digests(): Promise<{ lineage: string; sequence: number; digests: BucketDigests } | undefined> {
    const [found] = await this.#get((db) => [digestsRef(db)]);
    const data = found?.data();
    if (data === undefined) return undefined;
    const { lineage, sequence, digests } = data;
    if (typeof lineage !== "string" || typeof sequence !== "number" || !(digests instanceof Uint8Array)) {
      throw new Error("the centre's digests cannot be read");
    }
    return { lineage, sequence, digests: BucketDigests.fromBytes(digests) };
  }

  async #get(refs: (db: Firestore) => ReturnType<typeof headRef>[]): Promise<DocumentSnapshot[]> {
    return withinDeadline(operationTimeoutMs, async () => {
      const db = await this.#open();
      const wanted = refs(db);
      this.reads += wanted.length;
      return db.getAll(...wanted);
    });
  }
}
