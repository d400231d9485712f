import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { freePort, startNode } from "../lib/process.ts";
import { median, spread } from "../lib/stats.ts";
import { cellCount, writeJob } from "../router/job.ts";
import { latencyAt } from "../router/latency.ts";
import { residentMib } from "../router/load.ts";
import { originsOf, type Running, startRouterProcess } from "../router/proxies.ts";

export const description =
  "10,000 idle clients, 2,000 slow heads and 1,000 slow readers: what 50 others see beside them";

const tenants = 10_000;
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * p99 of 50 clients at 1,000 requests a second in all, alone and in the crowd: `--rounds` (7) of `--seconds` (2) each, and what
 * the router holds when the crowd has gone. `--share` takes that part of the crowd (1).
 */
export default async function bench(args: readonly string[]): Promise<Record<string, number>> {
  const options = {
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "2" },
    share: { type: "string", default: "1" },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const [rounds, seconds, share] = [Number(values.rounds), Number(values.seconds), Number(values.share)];
  await promisify(execFile)(process.execPath, [join(root, "apps/router/build.ts")]);
  const folder = await mkdtemp(join(tmpdir(), "bench-crowd-"));
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const ports = await Promise.all(Array.from({ length: cellCount }, freePort));
    const files = await writeJob(folder, tenants, originsOf(ports));
    const cells = startNode(here("cells.ts"), {}, { args: ports.map(String) });
    stops.push(() => cells.stop(1_000));
    await once(cells.stdout, "data");
    // Heads that never end are refused after 15 s otherwise, and the crowd would be busy with coming back.
    const router = await startRouterProcess(folder, await freePort(), files.directory, {
      HEAD_SECONDS: "60",
    });
    stops.push(() => router.stop());
    return await measure(router, { rounds, seconds, share });
  } finally {
    for (const stop of stops.toReversed()) await stop();
    await rm(folder, { recursive: true });
  }
}

async function measure(
  { port, pids: [pid = 0] }: Running,
  { rounds, seconds, share }: { rounds: number; seconds: number; share: number },
): Promise<Record<string, number>> {
  const sockets = async () => (await readdir(`/proc/${pid}/fd`)).length;
  const p99s = async () => {
    const all: number[] = [];
    for (let n = 0; n < rounds; n += 1)
      all.push((await latencyAt(port, { perSecond: 1_000, seconds, connections: 50, tenants })).p99Us);
    return all;
  };
  await latencyAt(port, { perSecond: 3_000, seconds: 3, connections: 50, tenants });
  const alone = await p99s();
  await sleep(6_000);
  const before = { sockets: await sockets(), mib: await residentMib(pid) };
  const crowd = [10_000, 2_000, 1_000].map((count) => Math.round(count * share));
  const guests = startNode(here("guests.ts"), {}, { args: [port, ...crowd].map(String) });
  await once(guests.stdout, "data");
  await sleep(3_000);
  const during = { sockets: await sockets(), mib: await residentMib(pid) };
  const beside = await p99s();
  await guests.stop(2_000);
  await sleep(5_000);
  for (let waited = 0; (await sockets()) > before.sockets && waited < 20_000; waited += 100) await sleep(100);
  const after = { sockets: await sockets(), mib: await residentMib(pid) };
  const ratio = median(beside) / median(alone);
  console.log(`p99 alone    ${median(alone)} µs (${spread(alone)})`);
  console.log(`p99 beside   ${median(beside)} µs (${spread(beside)}), ${ratio.toFixed(2)} times`);
  console.log(`the router held ${before.sockets} descriptors and ${Math.round(before.mib)} MiB before,`);
  console.log(
    `${during.sockets} and ${Math.round(during.mib)} with the crowd, ${after.sockets} and ${Math.round(after.mib)} after`,
  );
  return {
    p99_alone_us: median(alone),
    p99_crowd_us: median(beside),
    p99_ratio: Math.round(ratio * 100) / 100,
    sockets_before: before.sockets,
    sockets_crowd: during.sockets,
    sockets_after: after.sockets,
    mib_before: Math.round(before.mib),
    mib_crowd: Math.round(during.mib),
    mib_after: Math.round(after.mib),
  };
}
