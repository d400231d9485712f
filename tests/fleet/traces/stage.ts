import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { directorySnapshot } from "@proveniq/contracts";
import type { FleetState } from "@proveniq/local-cloud/fleet";
import { developmentIssuer } from "@proveniq/local-cloud/issuer";
import { freePort } from "../../setup/ports.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** A process under test and every line that it wrote. */
export class Started {
  readonly lines: Record<string, unknown>[] = [];
  text = "";
  readonly #child: ChildProcess;

  constructor(file: string, env: Record<string, string>) {
    this.#child = spawn(process.execPath, [join(root, file)], {
      env: { PATH: process.env["PATH"], PROVENIQ_ENV: "development", HOST: "127.0.0.1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) throw new Error("no output");
      createInterface({ input: stream }).on("line", (line) => {
        this.text += `${line}\n`;
        if (line.startsWith("{")) this.lines.push(JSON.parse(line));
      });
    }
  }

  /** Ask it to end; its exit code, and how long it took in milliseconds. */
  async stop(): Promise<{ code: unknown; ms: number }> {
    const startedAt = performance.now();
    if (this.#child.exitCode === null) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "exit");
    }
    return { code: this.#child.exitCode, ms: performance.now() - startedAt };
  }
}

/** A router and a cell of their own that report to a collector, over the database and identities of the tests' fleet. */
export interface Stage {
  /** Port of the router on 127.0.0.1. */
  router: string;
  processes: { router: Started; cell: Started };
  close(): Promise<void>;
}

/** Start them from what is built. Every trace that begins there is recorded. */
export async function setStage(fleet: FleetState, collector: string, secret: string): Promise<Stage> {
  const id = "eu";
  const place = fleet.cells[id];
  if (place === undefined) throw new Error("the tests' fleet has no cell eu");
  const folder = await mkdtemp(join(tmpdir(), "traces-"));
  const [cellPort, routerPort] = [await freePort(), await freePort()];
  const traces = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secret}`,
    OTEL_TRACES_SAMPLER_ARG: "1",
  };
  const cell = new Started("apps/cell-api/dist/artefact/server.js", {
    ...traces,
    CELL_ID: id,
    CELL_MANIFEST: await readFile(join(root, `infra/cells/${id}/cell.json`), "utf8"),
    ARTEFACT_DIGEST: place.artefact,
    GIT_COMMIT: "test",
    PORT: String(cellPort),
    FIRESTORE_EMULATOR_HOST: place.relay,
    METADATA_SERVER_DETECTION: "none",
    DEVELOPMENT_ISSUER: JSON.stringify(developmentIssuer(fleet.identity.issuer, place.project)),
    INSTANCES: "1",
  });
  const directory = directorySnapshot.parse(JSON.parse(await readFile(fleet.directoryFile, "utf8")));
  const known = directory.topology.cells[id];
  if (known === undefined) throw new Error("the directory has no cell eu");
  const origin = `http://127.0.0.1:${cellPort}`;
  directory.topology.cells[id] = { ...known, api: origin, bulk: origin };
  const file = join(folder, "directory.json");
  await writeFile(file, JSON.stringify(directory));
  const router = new Started("apps/router/dist/server.js", {
    ...traces,
    GOOGLE_CLOUD_PROJECT: "proveniq-central",
    PORT: String(routerPort),
    DIRECTORY_FILE: file,
    FLEET_ZONE: "proveniq.io",
  });
  const processes = { router, cell };
  const url = `http://127.0.0.1:${routerPort}`;
  for (const ready of [`${origin}/health`, `${url}/health`]) await untilOk(ready, processes);
  return {
    router: url,
    processes,
    close: async () => {
      await Promise.all([router.stop(), cell.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilOk(url: string, { router, cell }: Stage["processes"]): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const ok = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not answer:\n${router.text}\n${cell.text}`);
}
