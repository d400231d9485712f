import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EdgeConfigServer, startEdgeConfig } from "@proveniq/local-cloud/edge-config";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { caseDirectory } from "../decide/cases.ts";
import { type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { ask, problemCode } from "./testing/client.ts";
import { type RouterProcess, startRouterProcess } from "./testing/router-process.ts";

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let keep: string;
let cell: ScriptedCell;
let edge: EdgeConfigServer;
let router: RouterProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "router-directory-"));
  keep = join(folder, "kept.json");
  cell = await startScriptedCell();
  edge = await startEdgeConfig({ items: { directory: directory() } });
});
afterEach(async () => {
  await router?.stop();
  router = undefined;
  await Promise.all([cell.close(), edge.close()]);
  await rm(folder, { recursive: true });
});

/** The directory of the cases, with its default cell here. */
function directory(): typeof caseDirectory {
  const { topology } = caseDirectory;
  const consumer = { residency: "global" as const, api: cell.origin, bulk: cell.origin };
  return { ...caseDirectory, topology: { ...topology, cells: { ...topology.cells, consumer } } };
}

const start = async (env: Record<string, string>): Promise<number> => {
  router = await startRouterProcess(env, process.env["PATH"]);
  return router.port;
};
const fromEdgeConfig = (more: Record<string, string> = {}) =>
  start({ EDGE_CONFIG: edge.connection, ...more });
const small = { headers: { "x-tenant-id": "small-shop" } };

/** The slowest of some answers in milliseconds; all of them must be 200. */
async function slowest(port: number, count: number): Promise<number> {
  let longest = 0;
  for (let n = 0; n < count; n += 1) {
    const before = performance.now();
    expect((await ask(port, small)).status).toBe(200);
    longest = Math.max(longest, performance.now() - before);
  }
  return longest;
}

describe("a directory that is down from the start", () => {
  it("without anything kept: 503 and nobody's default cell, yet healthy, and routing as soon as it is back", async () => {
    edge.mode = "failing";
    const port = await fromEdgeConfig();
    for (const options of [small, {}]) {
      const reply = await ask(port, options);
      expect([reply.status, problemCode(reply)]).toEqual([503, "directory-unavailable"]);
    }
    expect(cell.seen).toEqual([]);
    expect((await ask(port, { path: "/health" })).status).toBe(200);
    edge.mode = "up";
    await vi.waitFor(async () => expect((await ask(port, small)).status).toBe(200), {
      timeout: 15_000,
      interval: 200,
    });
  });

  it("without a file to read: the same, until the file is there", async () => {
    const file = join(folder, "directory.json");
    const port = await start({ DIRECTORY_FILE: file });
    const reply = await ask(port, small);
    expect([reply.status, problemCode(reply)]).toEqual([503, "directory-unavailable"]);
    expect((await ask(port, { path: "/health" })).status).toBe(200);
    await writeFile(file, JSON.stringify(directory()));
    await vi.waitFor(async () => expect((await ask(port, small)).status).toBe(200), { timeout: 15_000 });
  });

  it("with what an earlier process has kept: known tenants are routed, also when it hangs", async () => {
    const first = await fromEdgeConfig({ DIRECTORY_KEEP: keep });
    expect((await ask(first, small)).status).toBe(200);
    await router?.stop();
    expect(JSON.parse(await readFile(keep, "utf8"))).toMatchObject({ version: caseDirectory.version });
    edge.mode = "hanging";
    const before = performance.now();
    const port = await fromEdgeConfig({ DIRECTORY_KEEP: keep });
    expect(performance.now() - before).toBeLessThan(20_000);
    expect(await slowest(port, 5)).toBeLessThan(1_000);
    edge.mode = "failing";
    expect(await slowest(port, 5)).toBeLessThan(1_000);
  });
});

describe("a directory that takes ten seconds to answer", () => {
  it("makes no known tenant wait, at the start or while it is asked again and again", async () => {
    await writeFile(keep, JSON.stringify(directory()));
    edge.delayMs = 10_000;
    const port = await fromEdgeConfig({ DIRECTORY_KEEP: keep });
    let longest = 0;
    await vi.waitFor(
      async () => {
        longest = Math.max(longest, await slowest(port, 3));
        expect(edge.requests()).toBeGreaterThan(2);
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(longest).toBeLessThan(1_000);
    expect(router?.lines.filter((l) => l.message === "request" && l.status !== 200)).toEqual([]);
  });
});
