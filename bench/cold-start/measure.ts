import { spawn } from "node:child_process";
import { once } from "node:events";
import { get, type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { item } from "@proveniq/contracts";
import { cpuMs } from "../lib/process.ts";

export interface StartOptions {
  /** The cell's server entry. */
  file: string;
  env: Record<string, string>;
  port: number;
  credential: string;
}

export interface Start {
  /** From the start of the process to the first 200 of /health. */
  wallMs: number;
  /** Processor time of the process until then. */
  cpuMs: number;
  /** From then to the first item that is read, Firestore's loading included. */
  firstReadMs: number;
}

/** An item that exists in the database from the first measured start on. */
let known: string | undefined;

/** Start a cell, measure, stop it. */
export async function measureStart({ file, env, port, credential }: StartOptions): Promise<Start> {
  const began = performance.now();
  // Not guarded as other processes are: the guard would be measured too.
  const cell = spawn(process.execPath, [file], {
    env: { PATH: process.env["PATH"], ...env, PORT: String(port) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(cell, "exit");
  try {
    const base = `http://127.0.0.1:${port}`;
    await firstHealth(base, () => cell.exitCode !== null);
    const wallMs = performance.now() - began;
    const cpu = await cpuMs(cell.pid ?? 0);
    known ??= await createItem(base, credential);
    const asked = performance.now();
    const answer = await fetchJson(`${base}/v1/items/${known}`, credential);
    const firstReadMs = performance.now() - asked;
    if (item.parse(answer).id !== known) throw new Error("another item was read");
    return { wallMs, cpuMs: cpu, firstReadMs };
  } finally {
    cell.kill("SIGTERM");
    await ended;
  }
}

/** Plain connections every 2 ms: a heavier client would take processor time from what it measures. */
async function firstHealth(base: string, ended: () => boolean): Promise<void> {
  for (;;) {
    if (ended()) throw new Error("the cell ended before it answered");
    const status = await new Promise<number | undefined>((resolve) => {
      get(`${base}/health`, { agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", () => resolve(undefined));
    });
    if (status === 200) return;
    await sleep(2);
  }
}

async function createItem(base: string, credential: string): Promise<string> {
  const body = JSON.stringify({ title: "Round brilliant, 0.23 ct", category: "jewellery" });
  return item.parse(await fetchJson(`${base}/v1/items`, credential, body)).id;
}

async function fetchJson(url: string, credential: string, body?: string): Promise<unknown> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { authorization: `Bearer ${credential}`, "content-type": "application/json" };
    request(url, { method: body === undefined ? "GET" : "POST", headers, agent: false }, resolve)
      .on("error", reject)
      .end(body);
  });
  const answer = await json(response);
  if ((response.statusCode ?? 500) >= 300) throw new Error(`${url} answered ${JSON.stringify(answer)}`);
  return answer;
}
