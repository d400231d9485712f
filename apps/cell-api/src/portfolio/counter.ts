import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Portfolio, ProblemError, type ReplicaStatus } from "@proveniq/contracts";
import type { PortfolioRecord, PortfolioRepository, PortfolioScan, ScannedItem } from "@proveniq/db/tenant";
import type { MarketValues } from "../valuation/valued.ts";
import { PortfolioSums } from "./sums.ts";

/** Items whose values are looked up together. */
const batchItems = 500;

export interface CounterOptions {
  market: MarketValues;
  /** Books of up to so many items are counted while the caller waits; no record of them is kept. */
  smallBook: number;
  /** How often the count is saved, and (three times that) how long another waits before taking it over. */
  saveMs: number;
  /** A count that was left alone for longer than this is not gone on with. */
  staleMs: number;
  signal: AbortSignal;
}

/** Another process counts this book already. */
export class CountedElsewhere extends Error {}

/** Count items right away. */
export async function countItems(
  market: MarketValues,
  items: Parameters<PortfolioSums["add"]>[0][],
  asOf: string,
): Promise<Portfolio> {
  const sums = new PortfolioSums();
  const keys = [...new Set(items.flatMap((item) => item.marketKey ?? []))];
  const found = await market.values(keys);
  for (const item of items)
    sums.add(item, item.marketKey === undefined ? undefined : found.values.get(item.marketKey));
  return sums.portfolio(asOf, found.replica);
}

/**
 * Count a large book in one stream, saving where it is now and then; a process that is stopped leaves its count to
 * the next one. Rejects with `CountedElsewhere` when another process holds the count.
 */
export async function countBook(repository: PortfolioRepository, options: CounterOptions): Promise<void> {
  const { market, smallBook, saveMs, signal } = options;
  const holder = randomUUID();
  const replica = await market.status();
  let scan = await take(repository, holder, replica, options);
  const sums = PortfolioSums.restore(scan.sums);
  let savedAt = Date.now();
  let batch: ScannedItem[] = [];

  const flush = async () => {
    const last = batch.at(-1);
    if (last === undefined) return;
    const found = await patiently(
      () => market.values([...new Set(batch.flatMap((item) => item.marketKey ?? []))]),
      signal,
    );
    for (const item of batch)
      sums.add(item, item.marketKey === undefined ? undefined : found.values.get(item.marketKey));
    scan = { ...scan, position: last.position, counted: scan.counted + batch.length };
    batch = [];
  };
  for await (const item of repository.scan(scan.position)) {
    batch.push(item);
    if (batch.length < batchItems) continue;
    await flush();
    if (signal.aborted || Date.now() - savedAt >= saveMs) {
      scan = await save(repository, { ...scan, sums: sums.save() }, signal.aborted ? 0 : saveMs * 3);
      savedAt = Date.now();
    }
    if (signal.aborted) return;
  }
  await flush();

  const result = sums.portfolio(scan.startedAt, scan.replica);
  // A book that has become small is counted while the caller waits from now on.
  const next: PortfolioRecord | null = scan.counted <= smallBook ? null : { result };
  await repository.change((present) => {
    if (present?.scan?.holder !== holder) throw new CountedElsewhere();
    return next;
  });
}

/** Nobody waits for this count: a database that is away for a moment need not end it. */
async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const passing = error instanceof ProblemError && error.code === "database-unavailable";
      if (!passing || tries >= 5 || signal.aborted) throw error;
      await sleep(tries * 500, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Take the count that nobody works on, or begin one. */
async function take(
  repository: PortfolioRepository,
  holder: string,
  replica: ReplicaStatus,
  { saveMs, staleMs }: CounterOptions,
): Promise<PortfolioScan> {
  const taken = await repository.change((present, now) => {
    const left = present?.scan;
    // Its own, when the reply to the first attempt was lost.
    if (left?.holder === holder) return present;
    if (left !== undefined && Date.parse(left.until) > now) throw new CountedElsewhere();
    const until = new Date(now + saveMs * 3).toISOString();
    const goOn = left !== undefined && now - Date.parse(left.startedAt) < staleMs;
    const scan: PortfolioScan = goOn
      ? { ...left, holder, until }
      : { holder, until, startedAt: new Date(now).toISOString(), replica, counted: 0, sums: "{}" };
    return { ...present, scan };
  });
  if (!taken?.scan) throw new CountedElsewhere();
  return taken.scan;
}

async function save(
  repository: PortfolioRepository,
  scan: PortfolioScan,
  forMs: number,
): Promise<PortfolioScan> {
  const saved = await repository.change((present, now) => {
    if (present?.scan?.holder !== scan.holder) throw new CountedElsewhere();
    return { ...present, scan: { ...scan, until: new Date(now + forMs).toISOString() } };
  });
  return saved?.scan ?? scan;
}
