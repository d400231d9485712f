import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planFleet } from "./plan.ts";
import { seedsFor, seedTenants } from "./seeds.ts";
import { type FleetState, readState, removeState, runningState, writeState } from "./state.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
let stateDir: string;
let state: FleetState;
let server: Server;

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "state-"));
  ({ state } = await planFleet({ root, stateDir, portBase: 8080, cells: ["consumer", "eu"] }));
  server = createServer((_, response) => response.end(state.run)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  state = { ...state, control: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
});

afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await rm(stateDir, { recursive: true, force: true });
});

describe("the state of a fleet", () => {
  it("comes back as it was written, with no draft left", async () => {
    await writeState(stateDir, state);
    expect(await readState(stateDir)).toEqual(state);
    // What the plan keeps there for the next start, its keys, is none of the state's.
    const written = (await readdir(stateDir)).filter((name) => name.startsWith("state"));
    expect(written).toEqual(["state.json"]);
  });

  it("is that of a running fleet only while its control endpoint says so", async () => {
    expect(await runningState(stateDir)).toBeUndefined();
    await writeState(stateDir, state);
    expect(await runningState(stateDir)).toEqual(state);
    await writeState(stateDir, { ...state, run: "another" });
    expect(await runningState(stateDir)).toBeUndefined();
    await writeState(stateDir, state);
    server.close();
    server.closeAllConnections();
    expect(await runningState(stateDir)).toBeUndefined();
    await removeState(stateDir);
    expect(await readState(stateDir)).toBeUndefined();
  });

  it("is none when the file is rubbish", async () => {
    for (const text of ["", "{", "[]", '{"pid": 1}', JSON.stringify({ ...state, more: 1 })]) {
      await writeFile(join(stateDir, "state.json"), text);
      expect(await readState(stateDir)).toBeUndefined();
    }
  });
});

describe("the plan of a fleet", () => {
  it("has somebody to try each cell with, a new one too", () => {
    const seeds = seedsFor(["consumer", "enterprise-a", "eu", "zz-new"], "proveniq.io");
    expect(seeds.filter((tenant) => tenant.cellId === "zz-new")).toEqual([
      {
        tenantId: "sample-zz-new",
        name: "Sample of zz-new",
        cellId: "zz-new",
        hosts: ["sample-zz-new.proveniq.io"],
        partner: true,
      },
    ]);
    expect(seeds.length).toBe(seedTenants.length + 1);
  });

  it("gives a cell the same ports whichever others run, and names only what runs", async () => {
    const all = (await planFleet({ root, stateDir, portBase: 8080 })).state;
    expect(Object.keys(state.cells)).toEqual(["consumer", "eu"]);
    expect(all.cells["eu"]).toEqual(state.cells["eu"]);
    expect(Object.keys(state.hosts)).not.toContain("carrier-a.proveniq.io");
    expect(all.hosts["carrier-a.proveniq.io"]).toBe("http://carrier-a.proveniq.localhost:8080");
  });
});
