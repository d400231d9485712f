import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { promisify } from "node:util";
import { cpuMs } from "../lib/process.ts";
import { type Sample, sampleRequest } from "./job.ts";
import type { Running } from "./proxies.ts";

const run = promisify(execFile);

export interface LoadResult {
  requests: number;
  cpuUsPerRequest: number;
  requestsPerSecond: number;
}

/** Load a proxy with wrk and read what it cost its processes. Throws when a single request failed. */
export async function load(
  proxy: Running,
  script: string,
  options: { seconds: number; connections: number },
): Promise<LoadResult> {
  const before = await cpuOf(proxy);
  const { stdout } = await run("wrk", [
    "-t1",
    `-c${options.connections}`,
    `-d${options.seconds}s`,
    "--timeout",
    "10s",
    "-s",
    script,
    `http://127.0.0.1:${proxy.port}`,
  ]);
  const spent = (await cpuOf(proxy)) - before;
  const line = /RESULT (\{.*\})/.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk said nothing readable about ${proxy.name}: ${stdout}`);
  const result: { requests: number; errors: number } = JSON.parse(line);
  if (result.errors > 0 || result.requests === 0)
    throw new Error(`${proxy.name}: ${result.errors} of ${result.requests} requests failed`);
  return {
    requests: result.requests,
    cpuUsPerRequest: (spent * 1_000) / result.requests,
    requestsPerSecond: result.requests / options.seconds,
  };
}

async function cpuOf(proxy: Running): Promise<number> {
  const all = await Promise.all(proxy.pids.map((pid) => cpuMs(pid)));
  return all.reduce((sum, ms) => sum + ms, 0);
}

/** Ask `count` requests of the job and check that each came from the right cell, whole. */
export async function checkReplies(proxy: Running, tenants: number, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const sample = sampleRequest(n * 31, tenants);
    const body = await ask(proxy.port, sample);
    const document: { cell?: unknown; filler?: unknown } = JSON.parse(body);
    if (document.cell !== `c${sample.cell}` || typeof document.filler !== "string")
      throw new Error(`${proxy.name} sent ${JSON.stringify(sample)} to ${String(document.cell)}`);
  }
}

function ask(port: number, sample: Sample): Promise<string> {
  return new Promise((resolve, reject) => {
    const req = request({ port, host: "127.0.0.1", path: sample.path, headers: sample.headers }, (res) => {
      let text = "";
      res.setEncoding("utf8");
      res.on("data", (piece: string) => {
        text += piece;
      });
      res.on("end", () =>
        res.statusCode === 200 ? resolve(text) : reject(new Error(`status ${res.statusCode}: ${text}`)),
      );
    });
    req.on("error", reject);
    req.end();
  });
}

/** Resident memory of a process, in MiB. */
export async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
