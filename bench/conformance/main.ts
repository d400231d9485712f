import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { conformanceCases, observe, startScriptedCell } from "@proveniq/router/conformance";
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

export const description =
  "HTTP byte by byte: the router's table of raw-socket cases, against it and its peers";

/** Runs every case against every proxy and prints who fails which. Exits 2 when a peer is not installed. */
export default async function bench(): Promise<Record<string, number>> {
  requirePeers();
  const folder = await mkdtemp(join(tmpdir(), "bench-conformance-"));
  const cell = await startScriptedCell();
  const running: Running[] = [];
  try {
    const files = await writeJob(
      folder,
      100,
      Array.from({ length: cellCount }, () => cell.origin),
    );
    const cells = Array.from({ length: cellCount }, () => cell.port);
    for (const start of starters(folder, files, cells)) running.push(await start(await freePort()));
    const failed = new Map(running.map((proxy) => [proxy.name, 0]));
    const width = Math.max(...conformanceCases.map((c) => c.name.length));
    console.log(`${"".padEnd(width)}  ${running.map((p) => p.name).join("  ")}`);
    for (const c of conformanceCases) {
      const marks: string[] = [];
      for (const proxy of running) {
        const wrong = c.check(await observe(proxy.port, cell, c));
        if (wrong !== undefined) failed.set(proxy.name, (failed.get(proxy.name) ?? 0) + 1);
        marks.push((wrong === undefined ? "ok" : "FAILS").padEnd(proxy.name.length));
      }
      console.log(`${c.name.padEnd(width)}  ${marks.join("  ")}`);
    }
    const figures = [...failed].map(([name, n]) => [`${name.replaceAll("-", "_")}_failed`, n] as const);
    return { cases: conformanceCases.length, ...Object.fromEntries(figures) };
  } finally {
    for (const proxy of running) await proxy.stop();
    await cell.close();
    await rm(folder, { recursive: true });
  }
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
