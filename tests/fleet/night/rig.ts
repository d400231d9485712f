import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controlClient } from "@proveniq/local-cloud/control";
import { type RunningFleet, startFleet } from "@proveniq/local-cloud/fleet";
import { z } from "zod";
import { root } from "../deploys/rig.ts";

const bin = join(root, "packages/fleet/bin/fleet.mjs");
const withinMs = 45_000;

const status = z.object({
  ok: z.boolean(),
  findings: z.array(z.object({ where: z.string(), level: z.string(), what: z.string(), next: z.string() })),
});

export interface Typed {
  code: number;
  out: string;
  err: string;
}

/** A fleet of two cells that keeps its data, for an operator who has nothing but the CLI. */
export interface Night {
  fleet: RunningFleet;
  directoryFile: string;
  cli(...args: string[]): Promise<Typed>;
  /** What `status` told to type. Rejects when it fails. */
  type(line: string): Promise<void>;
  /** Wait until status tells of this; the whole of what it says, and what is to be typed about it. */
  untilIll(told: RegExp): Promise<{ text: string; next: string }>;
  untilWell(): Promise<void>;
  /** Status of a tenant's own request through the router; without a key for one that has none. */
  asked(tenant: string): Promise<number>;
  stopped(service: string): Promise<void>;
  goOn(service: string): Promise<void>;
  /** Kill an emulator, and wait until another has taken its place. */
  killEmulator(cell: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startNight(portBase: number): Promise<Night> {
  const folder = await mkdtemp(join(tmpdir(), "fleet-night-"));
  const stateDir = join(folder, "state");
  const cells = ["consumer", "eu"];
  const fleet = await startFleet({
    root,
    stateDir,
    portBase,
    cells,
    heapMb: 512,
    logLevel: "warn",
    data: "keep",
  });
  const { state } = fleet;
  const control = controlClient(state.control);
  const cli = (...args: string[]) => run([...args, "--state-dir", stateDir]);
  const look = async () => status.parse(JSON.parse((await cli("status", "--json")).out));
  const signal = async (service: string, name: NodeJS.Signals) => {
    const pid = (await control.services())[service]?.pid;
    if (pid === undefined) throw new Error(`no ${service} runs`);
    process.kill(pid, name);
  };
  const keyed = (tenant: string) => state.identity.keys[tenant];
  const asked = async (tenant: string) => {
    const url = `${state.router}/t/${tenant}/v1/items`;
    const key = keyed(tenant);
    const response = await fetchAs(url, `eu.proveniq.localhost:${portBase}`, key);
    return response;
  };
  // Something that a removal must refuse.
  await post(
    `${state.router}/t/atelier-nord/v1/items`,
    `eu.proveniq.localhost:${portBase}`,
    keyed("atelier-nord"),
  );
  await control.save();
  return {
    fleet,
    directoryFile: state.directoryFile,
    cli,
    type: async (line) => {
      const [npx, name, ...args] = line.split(" ");
      if (npx !== "npx" || name !== "fleet") throw new Error(`no operator of a fleet could type: ${line}`);
      const typed = await cli(...args);
      if (typed.code !== 0) throw new Error(`${line} failed (${typed.code}): ${typed.err}`);
    },
    untilIll: async (told) => {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const { findings } = await look();
        const lines = findings.map(({ where, what }) => `${where}: ${what}`);
        const found = findings.find(({ where, what }) => told.test(`${where}: ${what}`));
        if (found !== undefined) return { text: lines.join("\n"), next: found.next };
        if (Date.now() > deadline)
          throw new Error(`status does not say ${String(told)}: ${lines.join("; ")}`);
      }
    },
    untilWell: async () => {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const { ok, findings } = await look();
        if (ok) return;
        if (Date.now() > deadline)
          throw new Error(`still ill: ${findings.map(({ what }) => what).join("; ")}`);
      }
    },
    asked,
    stopped: (service) => signal(service, "SIGSTOP"),
    goOn: (service) => signal(service, "SIGCONT"),
    killEmulator: async (cell) => {
      const before = (await control.services())[`emulator-${cell}`]?.pid;
      await control.kill(`emulator-${cell}`);
      while ((await control.services())[`emulator-${cell}`]?.pid === before) await sleep(100);
    },
    stop: async () => {
      await fleet.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function run(args: string[]): Promise<Typed> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], { cwd: root, timeout: 60_000 }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, out, err });
    });
  });
}

/** Names below localhost lead to this machine, and keep their host. */
async function fetchAs(url: string, host: string, key: string | undefined): Promise<number> {
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const headers = { host, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
    const sent = request(url, { headers, timeout: 20_000 }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function post(url: string, host: string, key: string | undefined): Promise<void> {
  const { request } = await import("node:http");
  const body = JSON.stringify({ title: "A clock", category: "other" });
  await new Promise<void>((resolve, reject) => {
    const headers = { host, authorization: `Bearer ${key ?? ""}`, "content-type": "application/json" };
    const sent = request(url, { method: "POST", headers }, (response) => {
      response.resume();
      response.on("end", () =>
        response.statusCode === 201 ? resolve() : reject(new Error(`${response.statusCode} of a new item`)),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
