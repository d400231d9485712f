import { setTimeout as sleep } from "node:timers/promises";
import type { MarketHead, PublishedValue } from "@proveniq/contracts";
import { BucketDigests, bucketOf, contentsAt, type PublishedMarket } from "@proveniq/db/market/centre";
import { type ReplicaScan, repairBucket, scanReplica } from "@proveniq/db/market/drift";
import type { CellDatabases, Connections } from "../connections.ts";
import { RefusedError } from "../refused.ts";

/** A cell's market database, for an operator who may write to it. */
export interface ReplicaAccess {
  cell: string;
  open: () => Promise<Parameters<typeof scanReplica>[0]>;
}

export interface ReplicaVerdict {
  cell: string;
  /**
   * `equal`: exactly what is published. `differs`: at the same sequence, yet other values. `repaired`: it differed and
   * does no longer. `behind`: not at the published sequence, so it cannot be compared. `busy`: it kept changing.
   * `unreachable`: its database does not answer.
   */
  verdict: "equal" | "differs" | "repaired" | "behind" | "busy" | "unreachable";
  sequence: number | null;
  values: number | null;
  /** The buckets that differ, or did until they were repaired. */
  buckets: number[];
  /** Documents that a repair wrote or removed. */
  repaired: number;
}

export interface MarketVerdict {
  centre: {
    sequence: number;
    values: number;
    publishedAt: string;
    /** The published digests are those of the published values. */
    sound: boolean;
  };
  cells: ReplicaVerdict[];
}

/** The replica of every cell of a fleet. */
export function replicasOf(
  connections: Pick<Connections, "cell">,
  manifests: Readonly<Record<string, CellDatabases>>,
): ReplicaAccess[] {
  return Object.entries(manifests).map(([cell, { marketDatabase }]) => ({
    cell,
    open: () => connections.cell(cell).open(marketDatabase.id),
  }));
}

/** A replica that is only just behind gets this long to catch up. */
const defaultCatchUpMs = 5_000;

/**
 * Compare every cell's replica, value by value, with what is published; with `repair` make the buckets that differ
 * right, and only those. Rejects when the centre cannot be read; `RefusedError` when nothing was published.
 */
export async function verifyMarket(
  centre: PublishedMarket,
  cells: readonly ReplicaAccess[],
  options: { repair?: boolean; catchUpMs?: number } = {},
): Promise<MarketVerdict> {
  const head = await centre.head();
  if (head === undefined)
    throw new RefusedError("Nothing was ever published, so there is nothing to verify.");
  const values = await contentsAt(centre, head);
  const digests = new BucketDigests();
  for (const value of values.values()) digests.add(value);
  const stated = await centre.digests();
  const sound = stated?.sequence === head.sequence && stated.digests.differing(digests).length === 0;
  const published = { head, values, digests };
  const verdicts: ReplicaVerdict[] = [];
  // One after the other: each reads a whole replica.
  for (const cell of cells) verdicts.push(await verifyCell(cell, published, options));
  const { sequence, publishedAt } = head;
  return { centre: { sequence, values: values.size, publishedAt, sound }, cells: verdicts };
}

interface Published {
  head: MarketHead;
  values: ReadonlyMap<string, PublishedValue>;
  digests: BucketDigests;
}

async function verifyCell(
  { cell, open }: ReplicaAccess,
  published: Published,
  { repair = false, catchUpMs = defaultCatchUpMs }: { repair?: boolean; catchUpMs?: number },
): Promise<ReplicaVerdict> {
  const { head, digests } = published;
  const blank = { cell, sequence: null, values: null, buckets: [], repaired: 0 };
  try {
    const db = await open();
    const scan = await settledScan(db, head, Date.now() + catchUpMs);
    if (scan === undefined) return { ...blank, verdict: "busy" };
    const found = { ...blank, sequence: scan.state.sequence, values: scan.values };
    if (
      scan.state.lineage !== head.lineage ||
      scan.state.sequence !== head.sequence ||
      scan.state.rebase !== null
    ) {
      return { ...found, verdict: "behind" };
    }
    const buckets = scan.digests.differing(digests);
    if (buckets.length === 0) return { ...found, verdict: "equal" };
    if (!repair) return { ...found, verdict: "differs", buckets };
    return {
      ...found,
      verdict: "repaired",
      buckets,
      repaired: await repairAll(db, buckets, scan, published),
    };
  } catch {
    return { ...blank, verdict: "unreachable" };
  }
}

/** A scan of a replica that stood still; one that is at another sequence gets a moment to catch up. */
async function settledScan(
  db: Parameters<typeof scanReplica>[0],
  head: MarketHead,
  until: number,
): Promise<ReplicaScan | undefined> {
  for (;;) {
    const scan = await scanReplica(db);
    const there = scan?.state.lineage === head.lineage && scan.state.sequence === head.sequence;
    if (there || Date.now() >= until) return scan;
    await sleep(250);
  }
}

async function repairAll(
  db: Parameters<typeof scanReplica>[0],
  buckets: readonly number[],
  { strays }: ReplicaScan,
  { head, values }: Published,
): Promise<number> {
  const byBucket = Map.groupBy(values.values(), (value) => bucketOf(value.marketKey));
  const { lineage, sequence } = head;
  let repaired = 0;
  for (const bucket of buckets) {
    const wanted = byBucket.get(bucket) ?? [];
    repaired += await repairBucket(db, { lineage, sequence, bucket, values: wanted, strays });
  }
  return repaired;
}
