import { type MarketValue, publishedValue } from "@proveniq/contracts";
import { inspectReplica } from "@proveniq/db/inspect";
import { z } from "zod";
import type { Desk } from "./callers.ts";
import type { Cell } from "./cell.ts";
import { type Scene, until } from "./scene.ts";

const keys = 24;

/** The values of a round: each differs from those of another, and each round withdraws one more. */
export function marketBook(round: number): Map<string, MarketValue> {
  const values = Array.from({ length: keys - round + 1 }, (_, n): [string, MarketValue] => [
    `stone:${n}`,
    {
      marketKey: `stone:${n}`,
      currency: n % 3 === 0 ? "JPY" : "USD",
      medianMinor: 1_000 * (n + 1) + (n < 8 ? round : 0),
      p10Minor: n,
      p90Minor: 1_000_000,
      sampleSize: 5 + n,
      asOf: "2026-11-01",
    },
  ]);
  return new Map(values);
}

/** Every value that a cell answers with. */
export async function readValues(desk: Desk) {
  const body = JSON.stringify({ keys: [...marketBook(1).keys()] });
  const headers = { "content-type": "application/json" };
  const call = { method: "POST", path: "/v1/market-values/batch-get", headers, body };
  const { text } = await desk.must("harbour", call, 200);
  return z.object({ values: z.array(publishedValue.loose()) }).parse(JSON.parse(text)).values;
}

/** Wait until a cell's replicator has brought all that is published; up to which page that is. */
export async function replicated(scene: Scene, cell: Cell): Promise<number> {
  const head = await scene.centre.published.head();
  return until(
    "the replica",
    async () => {
      const { lineage, sequence, rebase } = await inspectReplica(
        scene.pool,
        scene.manifest.marketDatabase.id,
      );
      return lineage === head?.lineage && sequence === head?.sequence && rebase === null && sequence;
    },
    { withinMs: 60_000, otherwise: () => cell.said("replicate") },
  );
}
