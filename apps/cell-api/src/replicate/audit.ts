import { marketLimits } from "@proveniq/contracts";
import { contentsAt, type PublishedMarket } from "@proveniq/db/market/centre";
import { digestBucket, repairBucket } from "@proveniq/db/market/drift";
import type { Logger } from "../log.ts";

export interface AuditDeps {
  centre: PublishedMarket;
  /** The cell's market database. */
  open: () => Promise<Parameters<typeof digestBucket>[0]>;
  logger: Logger;
}

export type Audit = "equal" | "repaired" | "not-comparable";

/**
 * Compare one bucket of the replica with the centre's digest, and make it right when it differs. Only a replica
 * that is exactly where the centre is can be compared.
 */
export async function auditBucket({ centre, open, logger }: AuditDeps, bucket: number): Promise<Audit> {
  const expected = await centre.digests();
  const db = await open();
  const found = await digestBucket(db, bucket);
  if (expected === undefined || found === undefined || found.state.rebase !== null) return "not-comparable";
  const { state, digests } = found;
  if (state.lineage !== expected.lineage || state.sequence !== expected.sequence) return "not-comparable";
  if (digests.equals(expected.digests, bucket)) return "equal";

  const head = await centre.head();
  if (head?.lineage !== state.lineage || head.sequence !== state.sequence) return "not-comparable";
  const values = await contentsAt(centre, head, new Set([bucket]));
  const { lineage, sequence } = head;
  const wrong = await repairBucket(db, { lineage, sequence, bucket, values: [...values.values()] });
  logger.error(
    { bucket, documents: wrong, sequence },
    "the replica differed from the centre and was repaired",
  );
  return "repaired";
}

/** Which bucket's turn it is: one each `everyMs`, by the clock, so that it needs no memory. */
export function bucketInTurn(now: number, everyMs: number): number {
  return Math.floor(now / everyMs) % marketLimits.buckets;
}
