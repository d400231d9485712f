import {
  type BaseGeneration,
  type BasePart,
  type MarketHead,
  marketLimits,
  type PublishedValue,
} from "@proveniq/contracts";
import { bucketOf } from "@proveniq/db/market/centre";

/** Changes after which newcomers are better served by a new base generation, however few values there are. */
const leastChanges = 10_000;

/** Time for a base generation: there is none yet, or half as many changes came after it as there are values. */
export function needsBase(head: MarketHead): boolean {
  return head.base === null || head.changedSinceBase >= Math.max(leastChanges, head.values / 2);
}

/** The base generation of all values at one sequence: whole buckets, together up to `partValues` values in a part. */
export function baseOf(
  values: Iterable<PublishedValue>,
  { lineage, sequence }: Pick<MarketHead, "lineage" | "sequence">,
  createdAt: Date,
): { base: BaseGeneration; parts: BasePart[] } {
  const buckets: PublishedValue[][] = Array.from({ length: marketLimits.buckets }, () => []);
  let count = 0;
  for (const value of values) {
    buckets[bucketOf(value.marketKey)]?.push(value);
    count++;
  }
  const parts: BasePart[] = [];
  let part: BasePart | undefined;
  for (const [bucket, held] of buckets.entries()) {
    if (part === undefined || part.values.length + held.length > marketLimits.partValues) {
      part = { lineage, sequence, firstBucket: bucket, lastBucket: bucket, values: [] };
      parts.push(part);
    }
    part.lastBucket = bucket;
    part.values.push(...held.sort((a, b) => (a.marketKey < b.marketKey ? -1 : 1)));
  }
  const base = {
    lineage,
    sequence,
    createdAt: createdAt.toISOString(),
    values: count,
    parts: parts.map(({ firstBucket, lastBucket, values: held }) => ({
      firstBucket,
      lastBucket,
      values: held.length,
    })),
  };
  return { base, parts };
}
