import type { BasePart, MarketHead, MarketValue, PublishedValue } from "@proveniq/contracts";
import { applyPage, BucketDigests, bucketOf } from "@proveniq/db/market/centre";
import { MarketPublishing } from "@proveniq/db/market/publishing";

/** The n-th of many keys. */
export function someValue(n: number, medianMinor = 100): MarketValue {
  return {
    marketKey: `stone:${n}`,
    currency: "USD",
    medianMinor,
    p10Minor: 0,
    p90Minor: 1_000_000,
    sampleSize: 5,
    asOf: "2026-11-01",
  };
}

/** A centre that tests publish to page by page, and that knows what a replica must hold. */
export class TestCentre {
  readonly publishing: MarketPublishing;
  readonly values = new Map<string, PublishedValue>();
  #head: MarketHead | undefined;
  #lineage = "lineage0000000000000";
  #writes = 0;

  constructor(open: ConstructorParameters<typeof MarketPublishing>[0]) {
    this.publishing = new MarketPublishing(open);
  }

  get sequence(): number {
    return this.#head?.sequence ?? 0;
  }

  /** One page. */
  async publish(upserts: MarketValue[], withdrawn: string[] = []): Promise<void> {
    const page = {
      lineage: this.#lineage,
      sequence: this.sequence + 1,
      publishedAt: new Date().toISOString(),
      upserts,
      withdrawn,
    };
    applyPage(this.values, page);
    this.#head = await this.publishing.append({
      page,
      writeId: `write-${++this.#writes}`,
      digests: this.digests(),
      values: this.values.size,
    });
  }

  /** A base generation of what is published, in a part for each 64 buckets; superseded pages are removed. */
  async base(lineage = this.#lineage): Promise<void> {
    if (this.#head === undefined) throw new Error("nothing is published");
    this.#lineage = lineage;
    const { sequence } = this.#head;
    const parts: BasePart[] = [0, 64, 128, 192].map((firstBucket) => ({
      lineage,
      sequence,
      firstBucket,
      lastBucket: firstBucket + 63,
      values: [...this.values.values()].filter(
        (v) => Math.floor(bucketOf(v.marketKey) / 64) === firstBucket / 64,
      ),
    }));
    const base = {
      lineage,
      sequence,
      createdAt: new Date().toISOString(),
      values: this.values.size,
      parts: parts.map(({ firstBucket, lastBucket, values }) => ({
        firstBucket,
        lastBucket,
        values: values.length,
      })),
    };
    this.#head = await this.publishing.publishBase(this.#head, base, parts, this.digests());
    await this.publishing.discardSuperseded(this.#head);
  }

  digests(): BucketDigests {
    const digests = new BucketDigests();
    for (const value of this.values.values()) digests.add(value);
    return digests;
  }
}
