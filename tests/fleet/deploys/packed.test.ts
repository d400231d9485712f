import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cellManifest, parseFile } from "@proveniq/contracts";
import { loadEntries, type Packed, packArtefact, unpackArtefact } from "@proveniq/control-plane/artefact";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { freePort } from "../../setup/ports.ts";
import { root } from "./rig.ts";
import { packVersion } from "./versions.ts";

const fleet = inject("fleet");
const framework = createRequire(join(root, "apps/cell-api/package.json")).resolve(
  "@google-cloud/functions-framework",
);
const started: ChildProcess[] = [];
let folder: string;
let packed: Packed;
let source: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "packed-"));
  packed = await packArtefact({ root, dist: join(root, "apps/cell-api/dist"), out: join(folder, "packed") });
  source = await unpackArtefact(packed, join(folder, "unpacked"));
}, 60_000);

afterAll(async () => {
  for (const child of started) {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

/** Start one function of the unpacked zip as the platform does, over the emulators of the cell `eu`. */
async function start(
  name: string,
  more: Record<string, string>,
): Promise<{ url: string; said: () => string }> {
  const cell = fleet.cells["eu"];
  const port = await freePort();
  const manifest = readFileSync(join(root, "infra/cells/eu/cell.json"), "utf8");
  const child = spawn(
    process.execPath,
    [join(framework, "../main.js"), `--target=${name}`, `--source=${source}`],
    {
      env: {
        PATH: process.env["PATH"],
        PORT: String(port),
        CELL_ID: "eu",
        CELL_MANIFEST: manifest,
        PROVENIQ_ENV: "development",
        ARTEFACT_DIGEST: packed.digest,
        GIT_COMMIT: packed.commit,
        FIRESTORE_EMULATOR_HOST: cell?.relay,
        METADATA_SERVER_DETECTION: "none",
        CENTRAL_PROJECT: fleet.central.project,
        CENTRAL_MARKET_DATABASE: "market",
        ...more,
      },
    },
  );
  started.push(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  // Not by a request: a scheduled function would begin its work.
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended:\n${said}`);
    await sleep(50);
  }
  return { url: `http://127.0.0.1:${port}`, said: () => said };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

describe("what is packed", () => {
  const manifest = parseFile(
    cellManifest,
    "cell.json",
    readFileSync(join(root, "infra/cells/eu/cell.json"), "utf8"),
  );

  it("is loaded as every entry that a cloud loads", async () => {
    await expect(loadEntries(packed, "eu", manifest)).resolves.toBeUndefined();
  });

  it.each([
    [
      "functions.js",
      "throw new Error('no such table');",
      /functions\.js cannot be loaded as \w+[^]*no such table[^]*at /,
    ],
    ["functions.js", "process.exit(3);", /it ended with exit code 3/],
    ["functions.js", "import './chunks/gone.js';", /Cannot find module[^]*gone\.js/],
    ["server.js", "throw new Error('no such port');", /server\.js cannot be loaded[^]*no such port/],
  ])("is refused when %s begins with %s", async (file, fault, message) => {
    const broken = await packVersion(root, join(folder, "broken"), "good", "", { file, before: fault });
    await expect(loadEntries(broken, "eu", manifest)).rejects.toThrow(message);
  });
});

describe("every function of the packed artefact", () => {
  it.each(["api", "bulk"])("%s starts from the zip, shows its digest and serves a tenant", async (name) => {
    const { url } = await start(name, {});
    const cell = await fetch(`${url}/v1/cell`);
    expect(await cell.json()).toMatchObject({
      id: "eu",
      artefactDigest: packed.digest,
      commit: packed.commit,
    });
    const authorization = `Bearer ${fleet.identity.keys["atelier-nord"]}`;
    const path = name === "api" ? "/v1/me" : "/v1/imports";
    const answer = await fetch(url + path, { headers: { authorization } });
    expect([answer.status, await answer.json()]).toEqual([200, expect.anything()]);
  });

  it.each([
    [
      "replicate",
      {
        FIRESTORE_EMULATOR_HOST: "",
        REPLICA_EMULATOR_HOST: fleet.cells["eu"]?.relay ?? "",
        CENTRAL_EMULATOR_HOST: fleet.central.relay,
      },
    ],
    ["sink", { WAREHOUSE_HOST: fleet.warehouse.grpc, ANALYTICS_KEYS: "/nowhere" }],
  ] as const)("%s starts from the zip, and waits for its schedule", async (name, more) => {
    // The platform listens when it has loaded the function and found it to be one; a call would work for its whole minute.
    const { said } = await start(name, more);
    expect(said()).not.toMatch(/error/i);
  });
});
