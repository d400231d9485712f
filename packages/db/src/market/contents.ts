import type { BaseGeneration, ChangePage, MarketHead, PublishedValue } from "@proveniq/contracts";
import { bucketOf } from "./digest.ts";
import type { PublishedMarket } from "./published.ts";

/** Pages read at once: bounds the memory, not the result. */
const pagesAtOnce = 8;

/** Carry values forward by one page. */
export function applyPage(
  values: Map<string, PublishedValue>,
  page: ChangePage,
  wanted: (marketKey: string) => boolean = () => true,
): void {
  for (const value of page.upserts) {
    if (wanted(value.marketKey)) values.set(value.marketKey, { ...value, sequence: page.sequence });
  }
  for (const key of page.withdrawn) values.delete(key);
}

/**
 * All that is published at a head, or only some buckets of it: the base generation and the pages after it.
 * Throws when the centre was tidied up meanwhile: read the head again and repeat.
 */
export async function contentsAt(
  market: PublishedMarket,
  head: MarketHead,
  buckets?: ReadonlySet<number>,
): Promise<Map<string, PublishedValue>> {
  const wanted = (key: string) => buckets === undefined || buckets.has(bucketOf(key));
  const values = new Map<string, PublishedValue>();
  if (head.base !== null) {
    const base = await market.base(head.base);
    if (base === undefined || base.lineage !== head.lineage) throw gone(`base generation ${head.base}`);
    for (const n of partsWith(base, buckets)) {
      const part = await market.part(base, n);
      if (part === undefined || part.lineage !== head.lineage) throw gone(`part ${n} of base ${head.base}`);
      for (const value of part.values) if (wanted(value.marketKey)) values.set(value.marketKey, value);
    }
  }
  for (let from = (head.base ?? 0) + 1; from <= head.sequence; from += pagesAtOnce) {
    const to = Math.min(from + pagesAtOnce - 1, head.sequence);
    const pages = await market.pages(from, to);
    if (pages.length !== to - from + 1) throw gone(`change page ${from + pages.length}`);
    for (const page of pages) applyPage(values, page, wanted);
  }
  return values;
}

function partsWith(base: BaseGeneration, buckets?: ReadonlySet<number>): number[] {
  return base.parts.flatMap(({ firstBucket, lastBucket }, n) => {
    if (buckets === undefined) return [n];
    return [...buckets].some((b) => b >= firstBucket && b <= lastBucket) ? [n] : [];
  });
}

function gone(what: string): Error {
  return new Error(`${what} is not at the centre (any more): it was superseded in the meantime`);
}
