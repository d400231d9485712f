import { setTimeout as sleep } from "node:timers/promises";
import type { MarketValue } from "@proveniq/contracts";
import { DatabasePool } from "@proveniq/db/pool";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import { freePort } from "../lib/process.ts";

export interface PlainFigures {
  values_s: number;
  reads_per_value: number;
  /** Withdrawn values that the cell goes on serving. */
  left_over: number;
}

/**
 * The plain way: a document per value at the centre with `updatedAt`, and a cell that asks for what was updated since.
 * One cell, its newcomer's start in one stream because this emulator scans the whole collection for every query. Its lag
 * is not measured for that reason: it would be the emulator's.
 */
export async function plainWay(
  values: readonly MarketValue[],
  changed: readonly MarketValue[],
): Promise<PlainFigures> {
  const heapMb = 512 + Math.ceil(values.length / 20);
  const [centre, cell] = await Promise.all([
    startEmulator({ port: await freePort(), heapMb }),
    startEmulator({ port: await freePort(), heapMb }),
  ]);
  const pools = [centre, cell].map(
    ({ host }) => new DatabasePool({ projectId: "bench-plain", allow: ["market"], emulatorHost: host }),
  );
  const [from, to] = await Promise.all(pools.map((pool) => pool.open("market")));
  if (from === undefined || to === undefined) throw new Error("there are two databases");

  const write = async (db: typeof from, batch: readonly (MarketValue & { updatedAt: Date })[]) => {
    const writes = db.batch();
    for (const { marketKey, ...fields } of batch) writes.set(db.collection("values").doc(marketKey), fields);
    await writes.commit();
  };
  const publish = async (all: readonly MarketValue[]) => {
    for (let n = 0; n < all.length; n += 500) {
      await write(
        from,
        all.slice(n, n + 500).map((value) => ({ ...value, updatedAt: new Date() })),
      );
    }
  };
  let reads = 0;
  let cursor = new Date(0);
  const replicate = async () => {
    const query = from.collection("values").where("updatedAt", ">", cursor).orderBy("updatedAt");
    let batch: (MarketValue & { updatedAt: Date })[] = [];
    for await (const chunk of query.stream()) {
      const doc = chunk as unknown as Awaited<ReturnType<typeof query.get>>["docs"][number];
      const data = doc.data() as MarketValue & { updatedAt: { toDate(): Date } };
      reads++;
      cursor = data.updatedAt.toDate();
      batch.push({ ...data, marketKey: doc.id, updatedAt: cursor });
      if (batch.length === 500) {
        await write(to, batch);
        batch = [];
      }
    }
    if (batch.length > 0) await write(to, batch);
  };

  await publish(values);
  const started = performance.now();
  await replicate();
  const seconds = (performance.now() - started) / 1_000;
  await sleep(5);
  await publish(changed);
  const withdrawn = values.slice(-100).map((value) => value.marketKey);
  const gone = from.batch();
  for (const key of withdrawn) gone.delete(from.collection("values").doc(key));
  await gone.commit();
  await replicate();
  const left = await to.getAll(...withdrawn.map((key) => to.collection("values").doc(key)));
  await Promise.all(pools.map((pool) => pool.close()));
  await Promise.all([centre.stop(), cell.stop()]);
  return {
    values_s: Math.round(values.length / seconds),
    reads_per_value: reads / (values.length + changed.length),
    left_over: left.filter((doc) => doc.exists).length,
  };
}
