import { createHash } from "node:crypto";
import { marketLimits, type PublishedValue } from "@proveniq/contracts";

const bytesEach = 16;
const modulus = 1n << BigInt(bytesEach * 8);

/** Which bucket a key is in: the first byte of its SHA-256, so that keys spread evenly whatever they look like. */
export function bucketOf(marketKey: string): number {
  return createHash("sha256").update(marketKey).digest().readUInt8(0);
}

/**
 * A digest of each bucket's values: the sum of a hash of every value, modulo 2^128. Sums do not depend on order
 * and can be carried forward: taking a value out subtracts what putting it in had added.
 */
export class BucketDigests {
  readonly #sums: bigint[];

  constructor(sums: readonly bigint[] = Array.from({ length: marketLimits.buckets }, () => 0n)) {
    this.#sums = [...sums];
  }

  add(value: PublishedValue): void {
    this.#move(bucketOf(value.marketKey), hashOf(value));
  }

  remove(value: PublishedValue): void {
    this.#move(bucketOf(value.marketKey), modulus - hashOf(value));
  }

  /** Make a bucket unequal to any that holds only sound values: something in it is no market value at all. */
  spoil(bucket: number, what: string): void {
    this.#move(bucket, numberOf(`spoilt:${what}`));
  }

  /** The buckets whose digests differ, ascending. */
  differing(other: BucketDigests): number[] {
    return this.#sums.flatMap((sum, bucket) => (sum === other.#sums[bucket] ? [] : [bucket]));
  }

  equals(other: BucketDigests, bucket: number): boolean {
    return this.#sums[bucket] === other.#sums[bucket];
  }

  copy(): BucketDigests {
    return new BucketDigests(this.#sums);
  }

  /** 16 bytes for each bucket, one after the other. */
  toBytes(): Buffer {
    return Buffer.from(
      this.#sums.map((sum) => sum.toString(16).padStart(bytesEach * 2, "0")).join(""),
      "hex",
    );
  }

  /** What `toBytes` made. Throws when it is something else. */
  static fromBytes(bytes: Uint8Array): BucketDigests {
    if (bytes.length !== marketLimits.buckets * bytesEach) throw new Error("not the digests of 256 buckets");
    const hex = Buffer.from(bytes).toString("hex");
    const width = bytesEach * 2;
    return new BucketDigests(
      Array.from({ length: marketLimits.buckets }, (_, n) =>
        BigInt(`0x${hex.slice(n * width, (n + 1) * width)}`),
      ),
    );
  }

  #move(bucket: number, by: bigint): void {
    this.#sums[bucket] = ((this.#sums[bucket] ?? 0n) + by) % modulus;
  }
}

function hashOf(v: PublishedValue): bigint {
  const { marketKey, currency, medianMinor, p10Minor, p90Minor, sampleSize, asOf, sequence } = v;
  return numberOf(
    JSON.stringify([marketKey, currency, medianMinor, p10Minor, p90Minor, sampleSize, asOf, sequence]),
  );
}

function numberOf(text: string): bigint {
  return BigInt(
    `0x${createHash("sha256")
      .update(text)
      .digest("hex")
      .slice(0, bytesEach * 2)}`,
  );
}
