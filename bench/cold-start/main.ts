import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { type ApiKeyRecord, cellManifest, defaultDatabase, parseFile } from "@proveniq/contracts";
import { makeApiKey } from "@proveniq/control-plane/access";
import { establishTenant } from "@proveniq/db/claims";
import { AccessWriter } from "@proveniq/db/control";
import { DatabasePool } from "@proveniq/db/pool";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import { freePort } from "../lib/process.ts";
import { median, spread } from "../lib/stats.ts";
import { measureStart, type Start } from "./measure.ts";

export const description = "A cell from its start to the first /health and the first item read";

/** What the cell promises, in milliseconds. */
const bars = { wall: 400, cpu: 300 };

const root = fileURLToPath(new URL("../..", import.meta.url));
const tenant = "cold-start";

/**
 * Starts the built cell and the same cell from its sources by turns (`--runs`, 9 each unless told otherwise), on one
 * emulator. Gives medians.
 */
export default async function run(args: readonly string[]): Promise<Record<string, number>> {
  const { values } = parseArgs({ args: [...args], options: { runs: { type: "string", default: "9" } } });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs must be a whole number, such as 9");

  // Otherwise the client library looks for Google's metadata server, which is not here.
  process.env["METADATA_SERVER_DETECTION"] = "none";
  await promisify(execFile)(process.execPath, [join(root, "apps/cell-api/build.ts")]);
  const file = "infra/cells/consumer/cell.json";
  const manifestText = await readFile(join(root, file), "utf8");
  const manifest = parseFile(cellManifest, file, manifestText);
  const folder = await mkdtemp(join(tmpdir(), "bench-cold-start-"));
  const emulator = await startEmulator({ port: await freePort(), logFile: join(folder, "emulator.log") });
  try {
    const pool = new DatabasePool({
      projectId: manifest.project,
      allow: manifest.databases.map((d) => d.id),
      emulatorHost: emulator.host,
    });
    const database = defaultDatabase(manifest);
    const place = { databaseId: database, defaultDatabase: database, epoch: 1, copies: 1 };
    await establishTenant(pool, { tenantId: tenant, ...place });
    const { key: credential, keyId, secretHash } = await makeApiKey("dev", tenant);
    const record: ApiKeyRecord = {
      keyId,
      tenantId: tenant,
      environment: "dev",
      label: "Benchmark",
      secretHash,
      scopes: ["items:read", "items:write"],
      createdAt: new Date().toISOString(),
      expiresAt: null,
      revokedAt: null,
    };
    const audit = {
      at: record.createdAt,
      who: "bench",
      from: "bench",
      action: "key.create",
      target: tenant,
      detail: {},
    };
    await new AccessWriter(pool, { tenantId: tenant, databaseId: database }).addKey(record, audit);
    await pool.close();
    const env = {
      CELL_ID: "consumer",
      CELL_MANIFEST: manifestText,
      DEFAULT_TENANT: tenant,
      PROVENIQ_ENV: "development",
      ARTEFACT_DIGEST: "0".repeat(64),
      GIT_COMMIT: "bench",
      HOST: "127.0.0.1",
      FIRESTORE_EMULATOR_HOST: emulator.host,
      METADATA_SERVER_DETECTION: "none",
    };
    const start = async (entry: string) =>
      measureStart({ file: join(root, entry), env, port: await freePort(), credential });
    const built = () => start("apps/cell-api/dist/artefact/server.js");
    const sources = () => start("apps/cell-api/src/server.ts");

    // Once each beforehand: files come from the disk only the first time.
    await built();
    await sources();
    const bundled: Start[] = [];
    const unbundled: Start[] = [];
    for (let n = 0; n < runs; n += 1) {
      bundled.push(await built());
      unbundled.push(await sources());
    }
    return report(bundled, unbundled);
  } finally {
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function report(bundled: readonly Start[], unbundled: readonly Start[]): Record<string, number> {
  for (const [name, starts] of Object.entries({ bundled, unbundled })) {
    const wall = starts.map((s) => s.wallMs);
    const cpu = starts.map((s) => s.cpuMs);
    const read = starts.map((s) => s.firstReadMs);
    console.log(
      `${name.padEnd(10)} /health ${median(wall)} ms (${spread(wall)}), ` +
        `processor ${median(cpu)} ms (${spread(cpu)}), first item read ${median(read)} ms more (${spread(read)})`,
    );
  }
  const figures = {
    wall_ms: median(bundled.map((s) => s.wallMs)),
    cpu_ms: median(bundled.map((s) => s.cpuMs)),
    first_read_ms: median(bundled.map((s) => s.firstReadMs)),
    unbundled_wall_ms: median(unbundled.map((s) => s.wallMs)),
    unbundled_cpu_ms: median(unbundled.map((s) => s.cpuMs)),
    unbundled_first_read_ms: median(unbundled.map((s) => s.firstReadMs)),
    runs: bundled.length,
  };
  const met = figures.wall_ms <= bars.wall && figures.cpu_ms <= bars.cpu;
  console.log(`Bar: ${bars.wall} ms wall, ${bars.cpu} ms processor: ${met ? "met" : "MISSED"}`);
  if (!met) process.exitCode = 1;
  return figures;
}
