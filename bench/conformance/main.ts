import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ConformanceCase,
  conformanceCases,
  exchangeRaw,
  observe,
  type ScriptedCell,
  serverCases,
  startScriptedCell,
  statusesIn,
} from "@proveniq/router/conformance";
import { buildArtefact } from "../../apps/cell-api/build.ts";
import { type CellProcess, startCell } from "../../apps/cell-api/src/testing/cell-process.ts";
import { freePort } from "../lib/process.ts";
import { cellCount, type JobFiles, writeJob } from "../router/job.ts";
import { requirePeers } from "../router/peers.ts";
import {
  type Running,
  scriptPeers,
  startHaproxy,
  startNginx,
  startRouterProcess,
  startScriptPeer,
} from "../router/proxies.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export const description =
  "HTTP byte by byte: the table of raw-socket cases, against the router, its peers and a cell's servers";

/** Runs every case against everybody whom it concerns and prints who fails which. Exits 2 when a peer is not installed. */
export default async function bench(): Promise<Record<string, number>> {
  requirePeers();
  const folder = await mkdtemp(join(tmpdir(), "bench-conformance-"));
  const cell = await startScriptedCell(cellCount);
  const running: Running[] = [];
  const servers = new Map<string, CellProcess>();
  try {
    const files = await writeJob(folder, 100, cell.origins);
    const cells = Array.from({ length: cellCount }, () => cell.port);
    for (const start of starters(folder, files, cells)) running.push(await start(await freePort()));
    const proxies = await failuresOf(
      running.map(({ name, port }) => ({ name, check: (c) => throughProxy(port, cell, c) })),
      conformanceCases,
    );
    await buildArtefact(root, folder);
    for (const [name, kind, service] of cellServers)
      servers.set(name, await startCell(join(folder, "artefact"), kind, service));
    const own = await failuresOf(
      [...servers].map(([name, { port }]) => ({
        name,
        check: (c) => atServer(port, name === "cell-bulk", c),
      })),
      serverCases,
    );
    return { cases: conformanceCases.length, server_cases: serverCases.length, ...proxies, ...own };
  } finally {
    for (const server of servers.values()) await server.stop();
    for (const proxy of running) await proxy.stop();
    await cell.close();
    await rm(folder, { recursive: true });
  }
}

/** A cell's services, as the functions platform runs them and on Node's own server. */
const cellServers = [
  ["cell-api", "functions", "api"],
  ["cell-bulk", "functions", "bulk"],
  ["cell-api-plain", "plain", "api"],
] as const;

interface Checked {
  name: string;
  /** Says what is wrong. */
  check: (c: ConformanceCase) => Promise<string | undefined>;
}

/** Run the cases against all, print a table, and count the failures of each as `NAME_failed`. */
async function failuresOf(
  all: readonly Checked[],
  cases: readonly ConformanceCase[],
): Promise<Record<string, number>> {
  const failed = new Map(all.map(({ name }) => [name, 0]));
  const width = Math.max(...cases.map((c) => c.name.length));
  console.log(`${"".padEnd(width)}  ${all.map((a) => a.name).join("  ")}`);
  for (const c of cases) {
    const marks: string[] = [];
    for (const { name, check } of all) {
      const wrong = await check(c);
      if (wrong !== undefined) failed.set(name, (failed.get(name) ?? 0) + 1);
      marks.push((wrong === undefined ? "ok" : "FAILS").padEnd(name.length));
    }
    console.log(`${c.name.padEnd(width)}  ${marks.join("  ")}`);
  }
  return Object.fromEntries([...failed].map(([name, n]) => [`${name.replaceAll("-", "_")}_failed`, n]));
}

async function throughProxy(port: number, cell: ScriptedCell, c: ConformanceCase) {
  return c.check(await observe(port, cell, c));
}

/**
 * Refused as what it is: an answer about a credential or a path, on a connection that goes on, means that it was taken for a
 * request.
 */
async function atServer(port: number, bulk: boolean, c: ConformanceCase): Promise<string | undefined> {
  const named = c.send.map((piece) =>
    piece
      .replace("Host: api.proveniq.io\r\n", "Host: api.proveniq.io\r\nX-Tenant-ID: carrier-a\r\n")
      .replace(" /v1/items", bulk ? " /v1/imports" : " /v1/items"),
  );
  const { text, closed } = await exchangeRaw(port, named, { quietMs: 120 });
  const statuses = statusesIn(text);
  const taken = closed ? undefined : statuses.find((status) => [401, 403, 404].includes(status));
  if (taken !== undefined) return `answered ${taken}: taken for a request`;
  return c.check({ reply: text, closed, statuses, arrived: [] });
}

function starters(
  folder: string,
  files: JobFiles,
  cells: readonly number[],
): ((port: number) => Promise<Running>)[] {
  return [
    (port) => startRouterProcess(folder, port, files.directory),
    (port) => startNginx(folder, port, files, cells),
    (port) => startHaproxy(folder, port, files, cells),
    ...scriptPeers.map((name) => (port: number) => startScriptPeer(folder, name, port, files)),
  ];
}
