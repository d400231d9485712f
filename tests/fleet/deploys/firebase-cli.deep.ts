import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Packed, packArtefact, unpackArtefact } from "@proveniq/control-plane/artefact";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../setup/ports.ts";
import { root } from "./rig.ts";

/** Too big for everybody's install (300 MB): fetched once, for this test alone. */
const tool = "firebase-tools@15.34.2";
const tools = join(root, ".fleet", "tools", tool);
const bin = join(tools, "node_modules", "firebase-tools", "lib", "bin", "firebase.js");
const run = promisify(execFile);
/** What this repository's npm asks of its own packages is not asked of others' tools. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("npm_") || /_(registry|cache)$/.test(name)),
);

let folder: string;
let packed: Packed;
let emulator: ChildProcess | undefined;
let said = "";
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "firebase-cli-"));
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  await access(bin).catch(() =>
    run("npm", ["install", "--prefix", tools, ...quiet, tool], { cwd: folder, env }),
  );
  packed = await packArtefact({ root, dist: join(root, "apps/cell-api/dist"), out: join(folder, "packed") });
  const source = await unpackArtefact(packed, join(folder, "functions"));
  // The CLI wants it beside the functions, whether or not they use it.
  await run("npm", ["install", ...quiet, "firebase-admin@14.5.1"], { cwd: source, env });
  const manifest: unknown = JSON.parse(await readFile(join(root, "infra/cells/eu/cell.json"), "utf8"));
  const variables = {
    CELL_ID: "eu",
    CELL_MANIFEST: JSON.stringify(manifest),
    PROVENIQ_ENV: "development",
    ARTEFACT_DIGEST: packed.digest,
    GIT_COMMIT: packed.commit,
    // Nothing listens there: what is tried here needs no database.
    FIRESTORE_EMULATOR_HOST: "127.0.0.1:1",
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}='${value}'`);
  await writeFile(join(source, ".env"), `${lines.join("\n")}\n`);
  const [functions, hub, logging, eventarc, tasks] = await Promise.all(Array.from({ length: 5 }, freePort));
  const at = (port: number | undefined) => ({ host: "127.0.0.1", port });
  await writeFile(
    join(folder, "firebase.json"),
    JSON.stringify({
      functions: [{ source: `functions/${packed.digest}`, runtime: "nodejs24" }],
      emulators: {
        functions: at(functions),
        hub: at(hub),
        logging: at(logging),
        eventarc: at(eventarc),
        tasks: at(tasks),
        ui: { enabled: false },
      },
    }),
  );
  url = `http://127.0.0.1:${functions}/demo-proveniq/europe-west1`;
  const args = [bin, "emulators:start", "--only", "functions", "--project", "demo-proveniq"];
  emulator = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder, CI: "1" },
  });
  for (const stream of [emulator.stdout, emulator.stderr])
    stream?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  while (!said.includes("All emulators ready")) {
    if (emulator.exitCode !== null) throw new Error(`the emulator ended:\n${said}`);
    await sleep(200);
  }
}, 600_000);

afterAll(async () => {
  if (emulator?.exitCode === null) {
    emulator.kill("SIGINT");
    await Promise.race([once(emulator, "exit"), sleep(20_000)]);
    emulator.kill("SIGKILL");
  }
  await rm(folder, { recursive: true, force: true });
});

describe("the Firebase CLI's functions emulator", () => {
  it("finds the four functions of the packed artefact, and serves from it", async () => {
    expect(said).toContain("Loaded functions definitions from source: api, bulk, replicate, sink");
    for (const name of ["api", "bulk"]) {
      const answer = await fetch(`${url}/${name}/v1/cell`, { signal: AbortSignal.timeout(50_000) });
      expect([answer.status, await answer.json()]).toEqual([
        200,
        expect.objectContaining({ id: "eu", artefactDigest: packed.digest }),
      ]);
    }
  }, 120_000);
});
