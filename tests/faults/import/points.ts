import { setTimeout as sleep } from "node:timers/promises";
import type { ImportRig } from "./rig.ts";

/** What goes wrong, and after which share of the calls to the database that an import makes from its first chunk to its end. */
export interface Point {
  fault: "kill the bulk process" | "kill the client" | "lose replies" | "cut the database";
  percent: number;
}

const faults: readonly Point["fault"][] = [
  "kill the bulk process",
  "kill the client",
  "lose replies",
  "cut the database",
];

/**
 * The same points for the same seed, each fault as often as the others: while chunks are received, while they are checked and
 * while pages are written. None in the last tenth: no two imports make the same number of calls.
 */
export function seededPoints(seed: number, count: number): Point[] {
  let state = seed >>> 0;
  const random = () => {
    // mulberry32: enough to spread points, and the same everywhere.
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return Array.from({ length: count }, (_, n) => ({
    fault: faults[n % faults.length] ?? "kill the client",
    percent: 1 + Math.floor(random() * 90),
  }));
}

/** How many calls to the database an import of so many rows makes that nothing disturbs. */
export async function callsOf(rig: ImportRig, rows: number): Promise<number> {
  const book = await rig.newBook(rows);
  const before = rig.relay.counters().calls;
  await book.start().ended;
  return rig.relay.counters().calls - before;
}

/**
 * Import a book of so many rows with one fault in it; `calls`: of an import that nothing disturbs. Resolves with what is then
 * found, and what was reported.
 */
export async function importThrough(rig: ImportRig, { fault, percent }: Point, rows: number, calls: number) {
  const book = await rig.newBook(rows);
  const before = rig.relay.counters().calls;
  const afterCalls = Math.ceil((percent * calls) / 100);
  const running = book.start();
  const watch = { over: false };
  const injected = (async () => {
    while (rig.relay.counters().calls < before + afterCalls && !watch.over) await sleep(1);
    if (watch.over) throw new Error(`the import made fewer than ${afterCalls} of ${calls} calls`);
    if (fault === "kill the bulk process") await rig.killServer();
    else if (fault === "kill the client") running.kill();
    else if (fault === "lose replies") rig.relay.dropReplies(2, (call) => call.includes("importSource"));
    else await rig.cutDatabase(400);
  })();
  const ended = running.ended.finally(() => {
    watch.over = true;
  });
  const [{ runs, summary }] = await Promise.all([ended, injected]);
  await rig.relay.restore();
  return { runs, summary, found: await book.look() };
}
