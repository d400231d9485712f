import {
  type BaseGeneration,
  type MarketHead,
  marketLimits,
  type PublishedValue,
  type ReplicaState,
} from "@proveniq/contracts";
import { LeaseLost } from "@proveniq/db/lease";
import { bucketOf, type PublishedMarket } from "@proveniq/db/market/centre";
import type { ReplicaWriter } from "@proveniq/db/market/replica";
import type { Logger } from "../log.ts";
import { type Tracing, untraced } from "../telemetry/tracing.ts";
import type { Pace } from "./pace.ts";

/** Pages fetched at once: bounds the memory. */
const pagesAtOnce = 4;
/** Values in one transaction of a rebase, unless a single bucket has more. */
const rebaseValues = 500;
/** How long a head may steer known work before the centre is looked at again. */
const headMaxAgeMs = 10_000;

export interface ReplicatorDeps {
  centre: PublishedMarket;
  replica: ReplicaWriter;
  pace: Pace;
  logger: Logger;
  tracing?: Tracing;
  /** How often a replica that is up to date says so (and keeps its lease). */
  heartbeatMs: number;
  now?: () => number;
}

/** `worked`: there may be more to do at once. `current`: nothing to do. `waiting`: another replicator is at work. */
export type Step = "worked" | "current" | "waiting";

/**
 * Brings a cell's replica to where the centre is, a step at a time. All it knows it reads from the two databases:
 * a process that is killed anywhere is replaced by one that goes on from the same place.
 */
export class Replicator {
  readonly #deps: ReplicatorDeps;
  readonly #now: () => number;
  #state: ReplicaState | undefined;
  #beatAt = 0;
  #head: MarketHead | undefined;
  #headAt = 0;
  #headIsFresh = false;
  #base: BaseGeneration | undefined;
  #part: HeldPart | undefined;
  #told: string | undefined;

  constructor(deps: ReplicatorDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** The replica as this replicator left it; undefined while it does not hold the lease. */
  get state(): ReplicaState | undefined {
    return this.#state;
  }

  /** Do the next thing there is to do. Rejects when one of the databases does not answer; then it is simply called again. */
  async step(): Promise<Step> {
    try {
      this.#state ??= await this.#deps.replica.acquire();
      if (this.#state === undefined) return "waiting";
      return await this.#follow(this.#state, await this.#centreHead(this.#state));
    } catch (error) {
      // Whether the step was made is not known: look again.
      this.#state = undefined;
      this.#head = undefined;
      if (error instanceof LeaseLost) return "waiting";
      throw error;
    }
  }

  /** Let another replicator in. */
  async release(): Promise<void> {
    if (this.#state === undefined) return;
    this.#state = undefined;
    await this.#deps.replica.release();
  }

  /** The head of the centre. While there is known work left, an older one will do: each look costs a read. */
  async #centreHead(state: ReplicaState): Promise<MarketHead | undefined> {
    const known = this.#head;
    const busy = known !== undefined && (state.rebase !== null || state.sequence < known.sequence);
    if (busy && this.#now() - this.#headAt < headMaxAgeMs) {
      this.#headIsFresh = false;
      return known;
    }
    const at = this.#now();
    this.#head = await this.#deps.centre.head();
    this.#headAt = at;
    this.#headIsFresh = true;
    return this.#head;
  }

  async #follow(state: ReplicaState, head: MarketHead | undefined): Promise<Step> {
    if (head === undefined) {
      return this.#rest(
        state.lineage === null,
        "the centre has published nothing, but this replica has values",
      );
    }
    if (state.rebase !== null || state.lineage !== head.lineage || state.sequence + 1 < head.oldestPage) {
      return this.#rebase(state, head);
    }
    if (state.sequence < head.sequence) return this.#catchUp(state, head);
    return this.#rest(
      state.sequence === head.sequence,
      "the replica is ahead of the centre, which was restored from a backup perhaps: begin a new lineage there",
    );
  }

  /** Nothing can be applied. When that is because all is applied, say so from time to time. */
  async #rest(equal: boolean, why: string): Promise<Step> {
    if (equal) this.#told = undefined;
    else if (this.#told !== why) {
      this.#told = why;
      this.#deps.logger.error({ sequence: this.#state?.sequence }, why);
    }
    if (this.#now() - this.#beatAt >= this.#deps.heartbeatMs) {
      this.#state = await this.#deps.replica.heartbeat(equal);
      this.#beatAt = this.#now();
    }
    return "current";
  }

  async #catchUp(state: ReplicaState, head: MarketHead): Promise<Step> {
    const { centre, replica, pace, logger, tracing = untraced } = this.#deps;
    const from = state.sequence + 1;
    const pages = await centre.pages(from, Math.min(head.sequence, state.sequence + pagesAtOnce));
    if (pages.length === 0) throw new Error(`change page ${from} is missing at the centre`);
    for (const page of pages) {
      const documents = page.upserts.length + page.withdrawn.length;
      await pace.take(documents);
      const newest = this.#headIsFresh && page.sequence === head.sequence;
      this.#state = await tracing.span("apply change page", () => replica.applyPage(page, newest));
      if (newest) this.#beatAt = this.#now();
      logger.debug({ sequence: page.sequence, documents }, "change page applied");
    }
    return "worked";
  }

  /** One more piece of a base generation. */
  async #rebase(state: ReplicaState, head: MarketHead): Promise<Step> {
    const { replica, logger } = this.#deps;
    if (head.base === null) {
      // A centre that is being filled for the first time: its pages from the first on are all there is.
      if (state.lineage === null && state.rebase === null) {
        this.#state = await replica.adopt(head.lineage);
        return "worked";
      }
      return this.#rest(false, "the centre begins a new lineage, and has no base generation of it yet");
    }
    const { rebase } = state;
    const base = rebase?.lineage === head.lineage ? await this.#baseAt(rebase.base, head.lineage) : undefined;
    if (rebase === null || base === undefined) return this.#beginRebase(head);
    if (rebase.nextBucket === marketLimits.buckets) {
      this.#part = undefined;
      this.#base = undefined;
      this.#state = await replica.finishRebase(base, base.createdAt);
      logger.info({ sequence: base.sequence, values: base.values }, "base generation applied");
      return "worked";
    }
    return this.#rebaseBuckets(base, rebase.nextBucket, Date.parse(rebase.startedAt), head);
  }

  async #beginRebase(head: MarketHead): Promise<Step> {
    const { replica, logger } = this.#deps;
    const base = head.base === null ? undefined : await this.#baseAt(head.base, head.lineage);
    if (base === undefined) throw new Error(`base generation ${head.base} is missing at the centre`);
    this.#state = await replica.beginRebase(base);
    logger.info({ base: base.sequence, values: base.values }, "starting from a base generation");
    return "worked";
  }

  async #rebaseBuckets(
    base: BaseGeneration,
    from: number,
    startedAt: number,
    head: MarketHead,
  ): Promise<Step> {
    const { replica, pace, tracing = untraced } = this.#deps;
    const held = await this.#partWith(base, from);
    if (held === undefined) {
      this.#base = undefined;
      // Superseded while it was being read; or lost, which is for people to look at.
      if (head.base !== base.sequence) return this.#beginRebase(head);
      if (!this.#headIsFresh) {
        this.#head = undefined;
        return "worked";
      }
      throw new Error(`a part of base generation ${base.sequence} is missing at the centre`);
    }
    const { values, to } = slice(held, from);
    await pace.take(Math.max(1, values.length), startedAt);
    this.#state = await tracing.span("apply base generation", () =>
      replica.rebaseBuckets(base, from, to, values),
    );
    return "worked";
  }

  /** A base generation of this lineage; undefined when it is not, or no longer, at the centre. */
  async #baseAt(sequence: number, lineage: string): Promise<BaseGeneration | undefined> {
    if (this.#base?.sequence !== sequence || this.#base.lineage !== lineage) {
      const found = await this.#deps.centre.base(sequence);
      this.#part = undefined;
      this.#base = found?.lineage === lineage ? found : undefined;
    }
    return this.#base;
  }

  async #partWith(base: BaseGeneration, bucket: number): Promise<HeldPart | undefined> {
    const held = this.#part;
    if (held !== undefined && held.firstBucket <= bucket && bucket <= held.lastBucket) return held;
    const n = base.parts.findIndex((p) => p.firstBucket <= bucket && bucket <= p.lastBucket);
    const part = await this.#deps.centre.part(base, n);
    if (part === undefined || part.lineage !== base.lineage) return undefined;
    const { firstBucket, lastBucket, values } = part;
    const buckets = Map.groupBy(values, (value) => bucketOf(value.marketKey));
    this.#part = { firstBucket, lastBucket, buckets };
    return this.#part;
  }
}

/** The part of the base generation that is being applied. */
interface HeldPart {
  firstBucket: number;
  lastBucket: number;
  buckets: ReadonlyMap<number, readonly PublishedValue[]>;
}

/** As many whole buckets of a part, from one on, as go into one transaction. */
function slice({ lastBucket, buckets }: HeldPart, from: number): { values: PublishedValue[]; to: number } {
  const values = [...(buckets.get(from) ?? [])];
  let to = from;
  while (to < lastBucket && values.length + (buckets.get(to + 1)?.length ?? 0) <= rebaseValues) {
    to++;
    values.push(...(buckets.get(to) ?? []));
  }
  return { values, to };
}
