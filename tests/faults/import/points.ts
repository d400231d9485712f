import { setTimeout as sleep } from "node:timers/promises";
import type { ImportRig } from "./rig.ts";

/** What goes wrong, and after how many calls of the bulk process to the database. */
export interface Point {
  fault: "kill the bulk process" | "kill the client" | "lose replies" | "cut the database";
  afterCalls: number;
}

const faults: readonly Point["fault"][] = [
  "kill the bulk process",
  "kill the client",
  "lose replies",
  "cut the database",
];

/** The same points for the same seed, each fault as often as the others, within the first `calls` calls. */
export function seededPoints(seed: number, count: number, calls: number): Point[] {
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
    afterCalls: Math.ceil(random() * calls),
  }));
}

/** Import a book of so many rows with one fault in it. Resolves with what is then found, and what was reported. */
export async function importThrough(rig: ImportRig, { fault, afterCalls }: Point, rows: number) {
  const book = await rig.newBook(rows);
  const before = rig.relay.counters().calls;
  const running = book.start();
  const watch = { over: false };
  const injected = (async () => {
    while (rig.relay.counters().calls < before + afterCalls && !watch.over) await sleep(1);
    if (watch.over) throw new Error(`the import made fewer than ${afterCalls} calls`);
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
