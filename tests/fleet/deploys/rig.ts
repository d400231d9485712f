import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type FleetState,
  mintLocalToken,
  type RunningFleet,
  readState,
  startFleet,
} from "@proveniq/local-cloud/fleet";
import { type Fault, packVersion } from "./versions.ts";

export const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const bin = join(root, "packages/fleet/bin/fleet.mjs");

/** A fleet of two cells that is there to be deployed to: `eu` in wave 1, `consumer` in wave 2. */
export interface Rig {
  readonly fleet: RunningFleet;
  /** As it is now: origins move with versions. */
  state(): Promise<FleetState>;
  /** Pack what is built with this fault; the folder. */
  pack(fault: Fault, mark?: string): Promise<string>;
  /** The digest that the cell says it runs, asked through the router. */
  digest(cell: "eu" | "consumer"): Promise<string>;
  cli(...args: string[]): Cli;
  load(): Load;
  stop(): Promise<void>;
}

export async function startRig(portBase: number): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "fleet-deploys-"));
  const stateDir = join(folder, "state");
  const cells = ["consumer", "eu"];
  const fleet = await startFleet({ root, stateDir, portBase, cells, heapMb: 512, logLevel: "warn" });
  const callers = await callersOf(fleet.state);
  const state = async () => {
    const now = await readState(stateDir);
    if (now === undefined) throw new Error("the fleet has no state");
    return now;
  };
  return {
    fleet,
    state,
    pack: async (fault, mark) => (await packVersion(root, join(folder, "packed"), fault, mark)).folder,
    digest: async (cell) => {
      const answer = await call(callers[cell], "GET", "/v1/cell");
      return (JSON.parse(answer.text) as { artefactDigest: string }).artefactDigest;
    },
    cli: (...args) => runCli([...args, "--state-dir", stateDir, "--json"]),
    load: () => startLoad(Object.values(callers)),
    stop: async () => {
      await fleet.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Cli {
  /** What it says on the way, as it says it. */
  said(text: string): Promise<void>;
  kill(): void;
  /** As Ctrl-C does. */
  interrupt(): void;
  ended: Promise<{ code: number | null; result: unknown; log: string }>;
}

function runCli(args: string[]): Cli {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"], cwd: root });
  let out = "";
  let log = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise<{ code: number | null; result: unknown; log: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, result: out === "" ? undefined : JSON.parse(out), log })),
  );
  return {
    ended,
    kill: () => void child.kill("SIGKILL"),
    interrupt: () => void child.kill("SIGINT"),
    said: async (text) => {
      while (!log.includes(text)) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`it ended without saying "${text}":\n${log}${out}`);
        await sleep(10);
      }
    },
  };
}

interface Caller {
  cell: string;
  port: number;
  host: string;
  /** Keys or tokens, taken in turn. */
  credentials: string[];
}

async function callersOf(state: FleetState): Promise<Record<"eu" | "consumer", Caller>> {
  const port = Number(new URL(state.router).port);
  // Several people: when a busy machine lets requests through in a burst, one person's quota must not refuse them.
  const people = await Promise.all(
    ["load-1", "load-2", "load-3", "load-4"].map((subject) =>
      mintLocalToken(state, { subject, cell: "consumer" }),
    ),
  );
  return {
    eu: {
      cell: "eu",
      port,
      host: `eu.proveniq.localhost:${port}`,
      credentials: [state.identity.keys["atelier-nord"] ?? ""],
    },
    consumer: { cell: "consumer", port, host: `localhost:${port}`, credentials: people },
  };
}

const agent = new Agent({ keepAlive: true });

let calls = 0;

function call(
  { port, host, credentials }: Caller,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      host,
      authorization: `Bearer ${credentials[calls++ % credentials.length]}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const sent = request(
      { port, host: "127.0.0.1", method, path, headers, agent, timeout: 20_000 },
      (answer) => {
        answer.setEncoding("utf8");
        answer
          .toArray()
          .then((parts) => resolve({ status: answer.statusCode ?? 0, text: parts.join("") }), reject);
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("no answer in 20 s")));
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Clients of every cell who write and read all the time, whatever comes back. */
export interface Load {
  /** By cell: how many requests, and what went wrong with some. */
  stop(): Promise<Record<string, { requests: number; failed: string[] }>>;
}

const everyMs = 60;

function startLoad(callers: Caller[]): Load {
  const told: Record<string, { requests: number; failed: string[] }> = {};
  const over = new AbortController();
  const workers = callers.map(async (caller) => {
    const seen = { requests: 0, failed: [] as string[] };
    told[caller.cell] = seen;
    const under: Promise<void>[] = [];
    // Open loop: a slow answer keeps nobody else from asking.
    for (let n = 0; !over.signal.aborted; n += 1) {
      const write = n % 2 === 0;
      const body = write ? { title: `Load ${n}`, category: "other" } : undefined;
      seen.requests += 1;
      under.push(
        call(caller, write ? "POST" : "GET", write ? "/v1/items" : "/v1/me", body).then(
          ({ status, text }) => {
            if (status >= 400)
              seen.failed.push(`${new Date().toISOString()} ${status} ${text.slice(0, 200)}`);
          },
          (error: unknown) => void seen.failed.push(String(error)),
        ),
      );
      await sleep(everyMs);
    }
    await Promise.all(under);
  });
  return {
    stop: async () => {
      over.abort();
      await Promise.all(workers);
      return told;
    },
  };
}
