import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hunt, HuntOrder, HuntResult, Violation } from "../hunt.ts";
import { Random } from "../random.ts";
import { allThings, Case } from "./case.ts";
import { Stack } from "./stack.ts";

/** Cases that are read and compared together, after which everything is forgotten. */
const batchSize = 48;
/** Cases under way at once. */
const atOnce = 6 * availableParallelism();
/** Of so many batches processes are killed in one. */
const roughEvery = 6;

/**
 * Small files in small pages: whether a book becomes what its file says, whatever the order of chunks, whoever else imports or writes
 * meanwhile, and whatever dies.
 */
export const hunt: Hunt = {
  description: "Small imports in every order against a model of what they mean",
  options: {
    cases: { type: "string" },
    kills: { type: "string", default: "some" },
  },
  help: {
    cases: "how many, instead of --schedules",
    kills: "in which batches bulk processes are killed: none, some (default), all",
  },
  run,
};

async function run(order: HuntOrder): Promise<HuntResult> {
  const { cases, kills } = order.options;
  const count = typeof cases === "string" ? Number(cases) : order.count;
  const stack = await Stack.start({ pageRows: 3, callMs: 30, buckets: 3, inFlight: 2 });
  const violations: Violation[] = [];
  let played = 0;
  let calls = 0;
  let killed = 0;
  const startedAt = performance.now();
  try {
    while (played < count && violations.length < order.enough && performance.now() < order.deadline) {
      const size = Math.min(batchSize, count - played);
      const first = order.first + played;
      const rough =
        kills === "all" ||
        (kills !== "none" && Math.floor(first / batchSize) % roughEvery === roughEvery - 1);
      const batch = await playBatch(stack, order.seed, first, size, rough);
      violations.push(...batch.violations);
      calls += batch.calls;
      killed += batch.killed;
      played += size;
      const rate = (1_000 * played) / (performance.now() - startedAt);
      order.progress(`${played} cases, ${violations.length} violations, ${rate.toFixed(1)} cases/s`);
    }
  } finally {
    await stack.close();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    schedules: played,
    violations,
    figures: { calls, kills: killed, cases_s: Math.round((10 * played) / seconds) / 10 },
  };
}

async function playBatch(stack: Stack, seed: number, first: number, size: number, rough: boolean) {
  const tenants = await stack.newTenants(size);
  const cases = tenants.map((tenant, n) => new Case(stack, tenant, seed, first + n, () => rough));
  const waiting = [...cases];
  let over = false;
  const workers = Array.from({ length: atOnce }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next.play();
  });
  const killing = rough ? kill(stack, new Random(seed, first), () => over) : Promise.resolve(0);
  await Promise.all(workers);
  over = true;
  const killed = await killing;
  const stored = await stack.stored(allThings);
  const violations: Violation[] = [];
  for (const each of cases) {
    const faults = each.compare(stored.get(each.tenant.id) ?? new Map());
    if (faults.length === 0) continue;
    const story = process.env["HUNT_LOG"] === undefined ? "" : `\n    ${each.caller.log.join("\n    ")}`;
    violations.push({ schedule: each.number, what: faults.join("\n  ") + story });
  }
  await stack.clear();
  return { violations, killed, calls: cases.reduce((sum, each) => sum + each.caller.calls, 0) };
}

/** Kill one of the two bulk processes now and then. */
async function kill(stack: Stack, random: Random, over: () => boolean): Promise<number> {
  let killed = 0;
  while (!over()) {
    await sleep(random.int(30, 700));
    if (over()) break;
    await stack.killBulk(random.int(0, 1));
    killed++;
  }
  return killed;
}
