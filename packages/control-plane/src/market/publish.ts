import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { MarketHead, MarketValue, PublishedValue } from "@proveniq/contracts";
import { applyPage, BucketDigests, contentsAt } from "@proveniq/db/market/centre";
import type { MarketPublishing } from "@proveniq/db/market/publishing";
import { RefusedError } from "../refused.ts";
import { baseOf, needsBase } from "./base.ts";
import { differenceOf, pagesOf } from "./difference.ts";

export interface PublishOptions {
  /** How much of what is published may be withdrawn, in percent: more looks like half a file. */
  maxWithdrawnPercent?: number;
  /** Not more than so many; the head is one document, and each page writes it. */
  pagesPerSecond?: number;
  now?: () => Date;
  /** Asked once what is published is known, and before anything is written: rejects when it must not be after all. */
  confirm?: () => Promise<void>;
  /** Told after each page. */
  progress?: (published: { pages: number; of: number }) => void;
}

export interface MarketPublication {
  /** The newest sequence afterwards. */
  sequence: number;
  /** Change pages that were written; none when nothing had changed. */
  pages: number;
  changed: number;
  withdrawn: number;
  unchanged: number;
  /** The base generation that was written, if it was time for one. */
  base: number | null;
}

const defaultWithdrawnPercent = 20;

/**
 * Publish values: find what differs from what is published, and write it page by page. Broken off, the pages so far
 * are published, and publishing the same values again does the rest; once all is published it writes nothing.
 * Rejects with `RefusedError` or `PublishingConflict`.
 */
export async function publishMarket(
  centre: MarketPublishing,
  wanted: ReadonlyMap<string, MarketValue>,
  options: PublishOptions = {},
): Promise<MarketPublication> {
  const now = options.now ?? (() => new Date());
  let head = await centre.published.head();
  const values: Map<string, PublishedValue> =
    head === undefined ? new Map() : await contentsAt(centre.published, head);
  await options.confirm?.();
  const difference = differenceOf(values, wanted);
  refuseMassWithdrawal(values.size, difference.withdrawn.length, options.maxWithdrawnPercent);

  const digests = new BucketDigests();
  for (const value of values.values()) digests.add(value);
  const pages = pagesOf(difference);
  const lineage = head?.lineage ?? newId();
  for (const [n, changes] of pages.entries()) {
    const page = {
      lineage,
      sequence: (head?.sequence ?? 0) + 1,
      publishedAt: now().toISOString(),
      ...changes,
    };
    for (const key of [...page.upserts.map((v) => v.marketKey), ...page.withdrawn]) {
      const before = values.get(key);
      if (before !== undefined) digests.remove(before);
    }
    applyPage(values, page);
    for (const { marketKey } of page.upserts) {
      const after = values.get(marketKey);
      if (after !== undefined) digests.add(after);
    }
    head = await centre.append({ page, writeId: newId(), digests, values: values.size });
    options.progress?.({ pages: n + 1, of: pages.length });
    if (options.pagesPerSecond !== undefined && n + 1 < pages.length)
      await sleep(1_000 / options.pagesPerSecond);
  }
  if (head === undefined) throw new RefusedError("Nothing was published: there is no value.");

  const base = needsBase(head) ? head.sequence : null;
  if (base !== null) head = await writeBase(centre, head, values, now());
  // Here and not only after a new base: an earlier publication may have been broken off before it.
  await centre.discardSuperseded(head);
  return {
    sequence: head.sequence,
    pages: pages.length,
    changed: difference.upserts.length,
    withdrawn: difference.withdrawn.length,
    unchanged: difference.unchanged,
    base,
  };
}

/**
 * Begin a new lineage at the present contents. For a centre that was restored from a backup: replicas may have
 * applied pages that it no longer knows, so every one of them starts again from its contents.
 */
export async function renewMarket(centre: MarketPublishing, now = new Date()): Promise<MarketHead> {
  const head = await centre.published.head();
  if (head === undefined) throw new RefusedError("Nothing was ever published, so there is nothing to renew.");
  const values = await contentsAt(centre.published, head);
  return writeBase(centre, head, values, now, newId());
}

async function writeBase(
  centre: MarketPublishing,
  head: MarketHead,
  values: ReadonlyMap<string, PublishedValue>,
  now: Date,
  lineage = head.lineage,
): Promise<MarketHead> {
  const digests = new BucketDigests();
  for (const value of values.values()) digests.add(value);
  const { base, parts } = baseOf(values.values(), { lineage, sequence: head.sequence }, now);
  return centre.publishBase(head, base, parts, digests);
}

function refuseMassWithdrawal(published: number, withdrawn: number, percent = defaultWithdrawnPercent): void {
  if (withdrawn === 0 || withdrawn * 100 <= published * percent) return;
  throw new RefusedError(
    `Nothing was published: ${withdrawn} of ${published} published values are missing in the input and would be ` +
      `withdrawn, which is more than ${percent} %. Is it the whole file? If it is, allow it with a higher ` +
      "--max-withdrawn.",
  );
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** 20 letters and digits. */
function newId(): string {
  return Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)]).join("");
}
