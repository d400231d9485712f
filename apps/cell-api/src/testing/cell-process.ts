import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { testManifest } from "./manifest.ts";

const framework = createRequire(import.meta.url).resolve("@google-cloud/functions-framework");

/** Which of a cell's two servers: Node's own, or the functions platform's. */
export type CellServer = "plain" | "functions";

export interface CellProcess {
  port: number;
  process: ChildProcess;
  /** Everything that it has printed so far. */
  printed(): string;
  stop(): Promise<void>;
}

const environment = {
  CELL_ID: "eu",
  CELL_MANIFEST: JSON.stringify(testManifest),
  // Nothing listens there: what is tried needs no database, or has to live without.
  PROVENIQ_ENV: "development",
  FIRESTORE_EMULATOR_HOST: "127.0.0.1:1",
  METADATA_SERVER_DETECTION: "none",
  ARTEFACT_DIGEST: "a".repeat(64),
  GIT_COMMIT: "test",
  HOST: "127.0.0.1",
  LOG_LEVEL: "debug",
};

/** Start a cell's service from a built artefact; resolves when it answers. */
export async function startCell(
  artefact: string,
  kind: CellServer,
  service: "api" | "bulk" = "api",
  more: Record<string, string> = {},
): Promise<CellProcess> {
  const port = await freePort();
  const args =
    kind === "plain"
      ? [join(artefact, "server.js")]
      : [join(framework, "../main.js"), `--target=${service}`, `--source=${join(artefact, "functions.js")}`];
  const env = {
    ...environment,
    PORT: String(port),
    ...(kind === "plain" ? { SERVICE: service } : {}),
    ...more,
  };
  const child = spawn(process.execPath, args, { env });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      printed += chunk.toString("latin1");
    });
  }
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`the cell did not start: ${printed}`);
    await sleep(50);
  }
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { port, process: child, printed: () => printed, stop };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
