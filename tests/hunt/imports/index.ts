import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hunt, HuntOrder, HuntResult, Violation } from "../hunt.ts";
import { Random } from "../random.ts";
import { allThings, Case } from "./case.ts";
import { type Limits, Stack } from "./stack.ts";

/** Cases that are read and compared together, after which everything is forgotten. */
const batchSize = 48;
/** Cases under way at once. */
const atOnce = 6 * availableParallelism();
/** One instance of bulk does one step in a call, another goes on, in pages of two under way at once, the third page after page. */
const instances: readonly Limits[] = [
  { pageRows: 1, callMs: 0, buckets: 2, inFlight: 1, few: 2 },
  { pageRows: 2, callMs: 5_000, buckets: 1, inFlight: 2, few: 1_000 },
  { pageRows: 1, callMs: 5_000, buckets: 1, inFlight: 1, few: 1_000 },
];
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
  const stack = await Stack.start(instances);
  const violations: Violation[] = [];
  let played = 0;
  let calls = 0;
  let killed = 0;
  const startedAt = performance.now();
  const cpuBefore = await stack.cpuSeconds();
  let cpu = 0;
  try {
    while (played < count && violations.length < order.enough && performance.now() < order.deadline) {
      const size = Math.min(batchSize, count - played);
      const first = order.first + played;
      const rough = kills === "all" || (kills !== "none" && Math.floor(first / batchSize) % roughEvery === 1);
      const batch = await playBatch(stack, {
        seed: order.seed,
        first,
        size,
        rough,
        deadline: order.deadline,
      });
      violations.push(...batch.violations);
      for (const { schedule, what } of batch.violations) order.progress(`case ${schedule}: ${what}`);
      calls += batch.calls;
      killed += batch.killed;
      played += batch.played;
      if (batch.played === 0) break;
      const rate = (1_000 * played) / (performance.now() - startedAt);
      cpu = (await stack.cpuSeconds()) - cpuBefore;
      order.progress(
        `${played} cases, ${violations.length} violations, ${rate.toFixed(1)} cases/s, ${((1_000 * cpu) / played).toFixed(0)} ms of CPU a case`,
      );
    }
  } finally {
    await stack.close();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    schedules: played,
    violations,
    figures: {
      calls,
      kills: killed,
      cases_s: Math.round((10 * played) / seconds) / 10,
      cpu_ms_per_case: Math.round((1_000 * cpu) / Math.max(1, played)),
    },
  };
}

interface Batch {
  seed: number;
  first: number;
  size: number;
  /** Processes are killed meanwhile. */
  rough: boolean;
  deadline: number;
}

async function playBatch(stack: Stack, { seed, first, size, rough, deadline }: Batch) {
  const tenants = await stack.newTenants(size);
  const cases = tenants.map((tenant, n) => new Case(stack, tenant, seed, first + n, () => rough));
  const waiting = [...cases];
  const played: Case[] = [];
  let over = false;
  const workers = Array.from({ length: atOnce }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      played.push(next);
      await next.play();
      if (performance.now() > deadline) return;
    }
  });
  const killing = rough ? kill(stack, new Random(seed, first), () => over) : Promise.resolve(0);
  await Promise.all(workers);
  over = true;
  const killed = await killing;
  const stored = await stack.stored(allThings);
  const violations: Violation[] = [];
  for (const each of played) {
    const faults = each.compare(stored.get(each.tenant.id) ?? new Map());
    if (faults.length === 0) continue;
    const story = process.env["HUNT_LOG"] === undefined ? "" : `\n    ${each.caller.log.join("\n    ")}`;
    violations.push({ schedule: each.number, what: faults.join("\n  ") + story });
  }
  await stack.clear();
  return {
    violations,
    killed,
    played: played.length,
    calls: cases.reduce((sum, each) => sum + each.caller.calls, 0),
  };
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
