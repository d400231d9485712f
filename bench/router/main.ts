import { execFile } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { get, request } from "node:http";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { freePort } from "../lib/process.ts";
import { median, spread } from "../lib/stats.ts";
import { cellCount, type JobFiles, jobDirectory, writeJob } from "./job.ts";
import { latencyAt } from "./latency.ts";
import { checkReplies, load, residentMib } from "./load.ts";
import { requirePeers } from "./peers.ts";
import {
  originsOf,
  type Running,
  scriptPeers,
  startCells,
  startHaproxy,
  startNginx,
  startRouterProcess,
  startScriptPeer,
} from "./proxies.ts";

export const description = "The router beside nginx, HAProxy and the JavaScript proxies, on the same job";

const tenants = 100_000;
const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/**
 * One run, all interleaved: `--rounds` (7) of `--seconds` (2) each. Exits 2 and says what is missing when a peer is not
 * installed.
 */
export default async function bench(args: readonly string[]): Promise<Record<string, number>> {
  const options = {
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "2" },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seconds) || seconds < 1)
    throw new Error("--rounds and --seconds must be whole numbers, such as 7 and 2");
  requirePeers();

  await run(process.execPath, [join(root, "apps/router/build.ts")]);
  const folder = await mkdtemp(join(tmpdir(), "bench-router-"));
  const running: Running[] = [];
  try {
    const ports = await Promise.all(Array.from({ length: cellCount }, freePort));
    const files = await writeJob(folder, tenants, originsOf(ports));
    await writeFile(join(folder, "big"), "");
    await truncate(join(folder, "big"), 100 * 1_048_576);
    const cells = await startCells(folder, ports);
    running.push(cells);
    const proxies = await startAll(folder, files, ports, running);
    for (const proxy of proxies) await checkReplies(proxy, tenants, 200);
    console.log(
      `${proxies.length} proxies answer the same ${tenants} tenants alike; ${rounds} rounds of ${seconds} s each.`,
    );

    const decisions = await measureDecisions();
    const cpu = await measureLoad(proxies, files.readScript, { rounds, seconds, connections: 64 });
    const three = proxies.filter((p) => ["nginx", "haproxy", "router"].includes(p.name));
    const upload = await measureLoad(three, files.uploadScript, { rounds, seconds, connections: 16 });
    const latency = await measureLatency(cells, three, rounds, seconds);
    const memory = await measureMemory(folder, files);
    const start1m = await measureStart(folder);
    return report({ cpu, upload, latency, decisions, memory, start1m });
  } finally {
    for (const proxy of running.toReversed()) await proxy.stop();
    await rm(folder, { recursive: true });
  }
}

async function startAll(
  folder: string,
  files: JobFiles,
  cells: readonly number[],
  running: Running[],
): Promise<Running[]> {
  const proxies: Running[] = [];
  const add = async (start: (port: number) => Promise<Running>) => {
    const proxy = await start(await freePort());
    running.push(proxy);
    proxies.push(proxy);
  };
  await add((port) => startNginx(folder, port, files, cells));
  await add((port) => startHaproxy(folder, port, files, cells));
  await add((port) => startRouterProcess(folder, port, files.directory));
  for (const name of scriptPeers) await add((port) => startScriptPeer(folder, name, port, files));
  return proxies;
}

type ByName = Map<string, number[]>;

async function measureLoad(
  proxies: readonly Running[],
  script: string,
  how: { rounds: number; seconds: number; connections: number },
): Promise<ByName> {
  const figures: ByName = new Map(proxies.map((p) => [p.name, []]));
  for (const proxy of proxies) await load(proxy, script, { seconds: 1, connections: how.connections });
  for (let round = 0; round < how.rounds; round += 1) {
    for (const proxy of proxies) {
      const { cpuUsPerRequest } = await load(proxy, script, how);
      figures.get(proxy.name)?.push(cpuUsPerRequest);
    }
  }
  return figures;
}

/** p99 of each round in µs: straight to a cell, and through each proxy. The rounds are short, so there are twice as many. */
async function measureLatency(
  cells: Running,
  proxies: readonly Running[],
  rounds: number,
  seconds: number,
): Promise<ByName> {
  const targets = [{ ...cells, name: "direct" }, ...proxies];
  const p99: ByName = new Map(targets.map((t) => [t.name, []]));
  const ask = (port: number, perSecond: number) =>
    latencyAt(port, { perSecond, seconds, connections: 64, tenants });
  // Who asks keeps one core busy with waiting. Without a core of its own it is now and then put where the asked one
  // runs, and milliseconds of the scheduler's are taken for the proxy's.
  await pin([process.pid], "0");
  await pin(
    targets.flatMap((t) => t.pids),
    "1",
  );
  for (const { port } of targets) await ask(port, 5_000);
  for (let round = 0; round < 2 * rounds; round += 1) {
    for (const { name, port } of targets) p99.get(name)?.push((await ask(port, 1_000)).p99Us);
  }
  await pin([process.pid], `0-${cpus().length - 1}`);
  return p99;
}

async function pin(pids: readonly number[], cores: string): Promise<void> {
  await Promise.all(pids.map((pid) => run("taskset", ["-a", "-p", "-c", cores, String(pid)])));
}

interface Decisions {
  ns100k: number;
  ns1m: number;
  bytesPerTenant: number;
}

async function measureDecisions(): Promise<Decisions> {
  const script = fileURLToPath(new URL("decision.ts", import.meta.url));
  // Each time in a process of its own: what a compiler made of it once is not the only thing it makes.
  const measure = async (count: number): Promise<{ ns: number; bytesPerTenant: number }> => {
    const args = ["--expose-gc", "--max-old-space-size=4096", script, String(count)];
    const runs: { ns: number; bytesPerTenant: number }[] = [];
    for (let n = 0; n < 7; n += 1) runs.push(JSON.parse((await run(process.execPath, args)).stdout));
    return {
      ns: median(runs.map((r) => r.ns)),
      bytesPerTenant: median(runs.map((r) => r.bytesPerTenant)),
    };
  };
  const some = await measure(100_000);
  const many = await measure(1_000_000);
  return {
    ns100k: some.ns,
    ns1m: many.ns,
    bytesPerTenant: Math.max(some.bytesPerTenant, many.bytesPerTenant),
  };
}

/** 100 MB up (in bodies of 25 MB: 32 MiB is the limit) and 100 MB down; what a new router's memory grows by, at most. */
async function measureMemory(folder: string, files: JobFiles): Promise<number> {
  const router = await startRouterProcess(folder, await freePort(), files.directory);
  await load(router, files.readScript, { seconds: 1, connections: 16 });
  const pid = router.pids[0] ?? 0;
  const host = { host: "api.proveniq.io" };
  const before = await residentMib(pid);
  let most = before;
  const watch = setInterval(() => void residentMib(pid).then((mib) => (most = Math.max(most, mib))), 20);
  const finished = (res: NodeJS.ReadableStream) =>
    new Promise<void>((resolve, reject) => {
      res.on("data", () => undefined);
      res.on("end", resolve);
      res.on("error", reject);
    });
  for (let n = 0; n < 4; n += 1) {
    await new Promise<void>((resolve, reject) => {
      const req = request(
        {
          port: router.port,
          host: "127.0.0.1",
          method: "POST",
          path: "/v1/items",
          headers: { ...host, "content-length": 25_000_000 },
        },
        (res) => void finished(res).then(resolve, reject),
      );
      req.on("error", reject);
      req.end(Buffer.alloc(25_000_000, "x"));
    });
  }
  await new Promise<void>((resolve, reject) => {
    get(
      { port: router.port, host: "127.0.0.1", path: "/big", headers: host },
      (res) => void finished(res).then(resolve, reject),
    ).on("error", reject);
  });
  clearInterval(watch);
  await router.stop();
  return most - before;
}

/** Milliseconds from the start of a router with a million placements to its first answer. */
async function measureStart(folder: string): Promise<number> {
  const file = join(folder, "million.json");
  await writeFile(
    file,
    JSON.stringify(
      jobDirectory(1_000_000, ["http://127.0.0.1:9"].concat(Array(7).fill("http://127.0.0.1:9"))),
    ),
  );
  const times: number[] = [];
  for (let n = 0; n < 3; n += 1) {
    const startedAt = performance.now();
    const router = await startRouterProcess(folder, await freePort(), file);
    times.push(performance.now() - startedAt);
    await router.stop();
  }
  return median(times);
}

interface Measured {
  cpu: ByName;
  upload: ByName;
  latency: ByName;
  decisions: Decisions;
  memory: number;
  start1m: number;
}

function report(m: Measured): Record<string, number> {
  const of = (figures: ByName, name: string) => median(figures.get(name) ?? []);
  const nginx = of(m.cpu, "nginx");
  const router = of(m.cpu, "router");
  const best = Math.min(...scriptPeers.map((name) => of(m.cpu, name)));
  const direct = m.latency.get("direct") ?? [];
  // Round by round: what disturbs the machine for seconds disturbs both.
  const added = (name: string) =>
    Math.max(1, median((m.latency.get(name) ?? []).map((p99, round) => p99 - (direct[round] ?? 0))));
  console.log("\nCPU per request (µs, median and range), and against nginx");
  for (const [name, all] of m.cpu)
    console.log(
      `  ${name.padEnd(20)} ${String(median(all)).padStart(7)}  ${spread(all).padStart(9)}  ${(median(all) / nginx).toFixed(2)}`,
    );
  console.log("CPU per upload of 1 MB (µs)");
  for (const [name, all] of m.upload)
    console.log(
      `  ${name.padEnd(20)} ${String(median(all)).padStart(7)}  ${spread(all).padStart(9)}  ${(median(all) / of(m.upload, "nginx")).toFixed(2)}`,
    );
  console.log("p99 at 1,000 requests/s (µs)");
  for (const [name, all] of m.latency)
    console.log(`  ${name.padEnd(20)} ${String(median(all)).padStart(7)}  ${spread(all).padStart(9)}`);
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    cpu_us: router,
    ratio_nginx: round(router / nginx),
    ratio_best_js: round(router / best),
    upload_ratio_nginx: round(of(m.upload, "router") / of(m.upload, "nginx")),
    added_p99_ratio_nginx: round(added("router") / added("nginx")),
    decision_ns_100k: Math.round(m.decisions.ns100k),
    decision_ns_1m: Math.round(m.decisions.ns1m),
    bytes_per_tenant: Math.round(m.decisions.bytesPerTenant),
    rss_growth_mb: Math.round(m.memory),
    start_1m_ms: Math.round(m.start1m),
  };
}
