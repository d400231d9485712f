import type { MarketValue } from "@proveniq/contracts";
import { ReplicaWriter } from "@proveniq/db/market/replica";
import { DatabasePool } from "@proveniq/db/pool";
import type { CellConfig } from "../config.ts";

/** The replica of a cell under test, filled behind the API's back. */
export async function testReplica({ manifest, emulatorHost }: CellConfig) {
  const pool = new DatabasePool({
    projectId: manifest.project,
    allow: [manifest.marketDatabase.id],
    ...(emulatorHost === undefined ? {} : { emulatorHost }),
  });
  const writer = new ReplicaWriter(await pool.open(manifest.marketDatabase.id), "test", 60_000);
  const lineage = "lineage0000000000000";
  await writer.acquire();
  let { sequence } = await writer.adopt(lineage);
  return {
    /** Apply one page. */
    async apply(upserts: MarketValue[], withdrawn: string[] = []): Promise<void> {
      const publishedAt = new Date().toISOString();
      await writer.applyPage({ lineage, sequence: ++sequence, publishedAt, upserts, withdrawn }, true);
    },
    close: () => pool.close(),
  };
}
