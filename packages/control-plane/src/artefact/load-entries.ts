import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { CellManifest } from "@proveniq/contracts";
import { RefusedError } from "../refused.ts";
import { type Packed, unpackArtefact } from "./pack.ts";

const loadMs = 60_000;
const shownLines = 30;

/** What the cloud loads the functions as, and what a machine starts. */
const entries = [
  ...["api", "bulk", "replicate", "sink"].map((FUNCTION_TARGET) => ({
    file: "functions.js",
    env: { FUNCTION_TARGET },
  })),
  { file: "server.js", env: { SERVICE: "api" } },
] as const;

/** Loads a file, looks whether it exports what is wanted of it, and ends before anything begins to work. */
const loader = `
const [file, name] = process.argv.slice(1);
const loaded = await import(file);
if (name !== "" && typeof loaded[name] !== "function") throw new Error(file + " exports no function " + name);
process.exit(0);
`;

/**
 * Load every entry of a packed artefact that a cloud would, from its zip, each in a process of its own, as a cell with this manifest.
 * Throws `RefusedError` with the stack when one cannot be loaded.
 */
export async function loadEntries(packed: Packed, cell: string, manifest: CellManifest): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "fleet-load-"));
  try {
    const source = await unpackArtefact(packed, folder);
    const environment = {
      HOME: folder,
      PROVENIQ_ENV: "development",
      CELL_ID: cell,
      CELL_MANIFEST: JSON.stringify(manifest),
      ARTEFACT_DIGEST: packed.digest,
      GIT_COMMIT: packed.commit,
      METADATA_SERVER_DETECTION: "none",
      // Nobody listens there: what is loaded must not work yet.
      FIRESTORE_EMULATOR_HOST: "127.0.0.1:9",
      CENTRAL_PROJECT: "nowhere",
      CENTRAL_MARKET_DATABASE: "market",
      PORT: "0",
    };
    await Promise.all(
      entries.map(async ({ file, env }) => {
        const name = "FUNCTION_TARGET" in env ? env.FUNCTION_TARGET : "";
        const said = await load(source, [pathToFileURL(join(source, file)).href, name], {
          ...environment,
          ...env,
        });
        if (said !== undefined)
          throw new RefusedError(
            `${file} cannot be loaded${name === "" ? "" : ` as ${name}`}, so no cell could run this:\n${said}`,
          );
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A line of bundled code, which Node prints above the stack, says nothing to people. */
const readable = (line: string) => line.length < 400 && line.trim() !== "";

/** What it said when it failed; undefined when it did not. */
function load(cwd: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", loader, "--", ...args], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: loadMs,
      killSignal: "SIGKILL",
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(undefined);
      const how =
        signal === null ? `it ended with exit code ${code}` : `it was not loaded in ${loadMs / 1_000} s`;
      return resolve([how, ...text.trim().split("\n").filter(readable).slice(0, shownLines)].join("\n"));
    });
  });
}
