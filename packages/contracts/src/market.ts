import { z } from "zod";
import { day, marketKey } from "./item.ts";
import { currency } from "./money.ts";

/** Bounds of what is published and replicated. */
export const marketLimits = {
  /** Values in one change page. */
  pageValues: 500,
  /** Values in one part of a base generation, unless a single bucket has more. */
  partValues: 2_000,
  /** A page or part as JSON: well below Firestore's 1 MiB for a document. */
  bytes: 900 * 1024,
  /** Buckets that values are spread over by a hash of their key. */
  buckets: 256,
  /** Keys in one batch get. */
  batchKeys: 500,
} as const;

const minor = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Grows by one with each change page; 0: nothing was published yet. */
export const marketSequence = z.int().min(0);

/** Names one run of sequences. A centre that was made anew, or restored from a backup, begins another. */
export const lineage = z.string().regex(/^[A-Za-z0-9]{20}$/, "is not a lineage");

/** The fields of a value besides its key. */
export const quotation = {
  currency,
  medianMinor: minor.describe("Half of the observed prices are below, in minor units"),
  p10Minor: minor.describe("A tenth of the observed prices are below"),
  p90Minor: minor.describe("A tenth of the observed prices are above"),
  sampleSize: z.int().min(1).describe("How many prices were observed"),
  asOf: day.describe("The day that the prices are of"),
};

function ordered(value: { p10Minor: number; medianMinor: number; p90Minor: number }, ctx: z.RefinementCtx) {
  if (value.p10Minor > value.medianMinor) {
    ctx.addIssue({ code: "custom", path: ["p10Minor"], message: "must not be above medianMinor" });
  }
  if (value.p90Minor < value.medianMinor) {
    ctx.addIssue({ code: "custom", path: ["p90Minor"], message: "must not be below medianMinor" });
  }
}

/** What things of one key fetch in the market: one line of the file that is published. */
export const marketValue = z
  .strictObject({ marketKey, ...quotation })
  .superRefine(ordered)
  .meta({
    id: "MarketValue",
    examples: [
      {
        marketKey: "diamond:ideal:e:si2:0.20-0.39",
        currency: "USD",
        medianMinor: 53600,
        p10Minor: 41250,
        p90Minor: 81100,
        sampleSize: 51,
        asOf: "2026-11-01",
      },
    ],
  });
export type MarketValue = z.infer<typeof marketValue>;

/** A value with the change page that brought it. */
export const publishedValue = z
  .strictObject({ marketKey, ...quotation, sequence: marketSequence.min(1) })
  .superRefine(ordered)
  .meta({ id: "PublishedMarketValue" });
export type PublishedValue = z.infer<typeof publishedValue>;

/** One step of the published values: immutable once written. Each key at most once, so order within does not matter. */
export const changePage = z
  .strictObject({
    lineage,
    sequence: marketSequence.min(1),
    publishedAt: z.iso.datetime(),
    upserts: z.array(marketValue),
    withdrawn: z.array(marketKey).describe("Tombstones: keys that have no value any more"),
  })
  .superRefine((page, ctx) => {
    const keys = [...page.upserts.map((v) => v.marketKey), ...page.withdrawn];
    if (keys.length < 1 || keys.length > marketLimits.pageValues) {
      ctx.addIssue({ code: "custom", message: `has ${keys.length} changes, not 1 to 500` });
    }
    if (new Set(keys).size !== keys.length) {
      ctx.addIssue({ code: "custom", message: "names a key twice" });
    }
  })
  .meta({ id: "MarketChangePage" });
export type ChangePage = z.infer<typeof changePage>;

const bucket = z
  .int()
  .min(0)
  .max(marketLimits.buckets - 1);

/** Everything that is published at one sequence, for newcomers; its parts cover all buckets without a gap. */
export const baseGeneration = z
  .strictObject({
    lineage,
    sequence: marketSequence.min(1),
    createdAt: z.iso.datetime(),
    values: z.int().min(0),
    parts: z
      .array(z.strictObject({ firstBucket: bucket, lastBucket: bucket, values: z.int().min(0) }))
      .min(1)
      .max(marketLimits.buckets),
  })
  .superRefine((base, ctx) => {
    let next = 0;
    for (const part of base.parts) {
      if (part.firstBucket !== next || part.lastBucket < part.firstBucket) {
        ctx.addIssue({ code: "custom", path: ["parts"], message: `has no part for bucket ${next}` });
        return;
      }
      next = part.lastBucket + 1;
    }
    if (next !== marketLimits.buckets) {
      ctx.addIssue({ code: "custom", path: ["parts"], message: `has no part for bucket ${next}` });
    }
  })
  .meta({ id: "MarketBaseGeneration" });
export type BaseGeneration = z.infer<typeof baseGeneration>;

/** The values of a range of buckets, whole buckets only. */
export const basePart = z.strictObject({
  lineage,
  sequence: marketSequence.min(1),
  firstBucket: bucket,
  lastBucket: bucket,
  values: z.array(publishedValue),
});
export type BasePart = z.infer<typeof basePart>;

/** Where the centre is. The one document that a replica polls. */
export const marketHead = z
  .strictObject({
    lineage,
    sequence: marketSequence.min(1),
    publishedAt: z.iso.datetime().describe("When the newest page was published"),
    writeId: z.string().describe("Of the transaction that wrote the newest page"),
    values: z.int().min(0).describe("How many keys have a value"),
    base: marketSequence.min(1).nullable().describe("The newest base generation"),
    changedSinceBase: z.int().min(0).describe("Changes in the pages after it"),
    oldestPage: marketSequence
      .min(1)
      .describe("Older pages may be gone: who needs them starts from the base"),
  })
  .meta({ id: "MarketHead" });
export type MarketHead = z.infer<typeof marketHead>;

/** How far a cell's replica is. Written in the same transaction as the values it speaks of. */
export const replicaState = z
  .strictObject({
    lineage: lineage.nullable(),
    sequence: marketSequence.describe("Every page up to here is applied"),
    revision: z.int().min(0).describe("Grows with every transaction that touches values, repairs too"),
    publishedAt: z.iso.datetime().nullable().describe("When the page of this sequence was published"),
    caughtUpAt: z.iso.datetime().nullable().describe("When the replica last equalled the centre"),
    rebase: z
      .strictObject({
        lineage,
        base: marketSequence.min(1),
        nextBucket: z.int().min(0).max(marketLimits.buckets),
        sweep: z.boolean().describe("False when there was nothing before that could be left over"),
        startedAt: z.iso.datetime(),
      })
      .nullable()
      .describe("A start from a base generation that is under way"),
    lease: z
      .strictObject({ holder: z.string().min(1).max(100), until: z.iso.datetime() })
      .nullable()
      .describe("The one replicator that may write"),
  })
  .meta({ id: "MarketReplicaState" });
export type ReplicaState = z.infer<typeof replicaState>;

/** How fresh the answers of a cell are. */
export const replicaStatus = z
  .strictObject({
    sequence: marketSequence.describe("The newest change page that the cell has applied"),
    ageSeconds: z
      .int()
      .min(0)
      .nullable()
      .describe("Seconds since the replica was last known to equal the centre. Null: never yet"),
  })
  .meta({ id: "MarketReplicaStatus" });
export type ReplicaStatus = z.infer<typeof replicaStatus>;

/** GET /v1/market-values/{key}. */
export const marketValueAnswer = z
  .strictObject({ value: publishedValue, replica: replicaStatus })
  .meta({ id: "MarketValueAnswer" });
export type MarketValueAnswer = z.infer<typeof marketValueAnswer>;

/** POST /v1/market-values/batch-get. */
export const marketBatchInput = z
  .strictObject({ keys: z.array(marketKey).min(1).max(marketLimits.batchKeys) })
  .meta({ id: "MarketBatchInput" });
export const marketBatchAnswer = z
  .strictObject({
    values: z.array(publishedValue).describe("In the order of the keys, each once"),
    missing: z.array(marketKey).describe("Keys without a published value"),
    replica: replicaStatus,
  })
  .meta({ id: "MarketBatchAnswer" });
