import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { cellManifest, defaultDatabase, parseFile } from "@proveniq/contracts";
import { makeApiKey } from "@proveniq/control-plane/access";
import { establishTenant } from "@proveniq/db/claims";
import { AccessWriter } from "@proveniq/db/control";
import { DatabasePool } from "@proveniq/db/pool";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import { developmentIssuer, makeIssuerKey, mintToken, serveIssuer } from "@proveniq/local-cloud/issuer";
import { freePort, startNode } from "../lib/process.ts";
import { median, spread } from "../lib/stats.ts";
import { processorPerRequest } from "./measure.ts";

export const description = "Processor time that authentication and authorisation add to a warm request";

/** What the cell promises, in microseconds. */
const bar = 150;
const root = fileURLToPath(new URL("../..", import.meta.url));
const tenant = "bench-auth";
const people = 40;

/**
 * Asks the built cell by turns for something public and, with a key and with people's tokens, who they are, which needs
 * everything between a request and its handler: hint, credential, claim, settings, quota, policy, handle. What the
 * cell's process spends more on the latter is what they cost. `--rounds` (7), `--requests` each (4,000).
 */
export default async function run(args: readonly string[]): Promise<Record<string, number>> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "7" },
      requests: { type: "string", default: "4000" },
    },
  });
  const [rounds, requests] = [Number(values.rounds), Number(values.requests)];
  process.env["METADATA_SERVER_DETECTION"] = "none";
  await promisify(execFile)(process.execPath, [join(root, "apps/cell-api/build.ts")]);
  const file = "infra/cells/consumer/cell.json";
  const manifest = parseFile(cellManifest, file, await readFile(join(root, file), "utf8"));
  // Nobody is to be refused for asking so often.
  const quota = { tenantRequestsPerSecond: 100_000, personRequestsPerSecond: 1_000 };
  const folder = await mkdtemp(join(tmpdir(), "bench-auth-"));
  const issuerKey = await makeIssuerKey();
  const issuer = await serveIssuer(issuerKey, await freePort());
  const trust = developmentIssuer(issuer.origin, manifest.project);
  const emulator = await startEmulator({ port: await freePort(), logFile: join(folder, "emulator.log") });
  try {
    const key = await setUp(manifest.project, defaultDatabase(manifest), emulator.host);
    const token = (sub: string) => mintToken(issuerKey, trust, { sub, tenant });
    const port = await freePort();
    const cell = startNode(join(root, "apps/cell-api/dist/artefact/server.js"), {
      CELL_ID: "consumer",
      CELL_MANIFEST: JSON.stringify({ ...manifest, quota }),
      PROVENIQ_ENV: "development",
      ARTEFACT_DIGEST: "0".repeat(64),
      GIT_COMMIT: "bench",
      HOST: "127.0.0.1",
      PORT: String(port),
      LOG_LEVEL: "error",
      INSTANCES: "1",
      FIRESTORE_EMULATOR_HOST: emulator.host,
      METADATA_SERVER_DETECTION: "none",
      DEVELOPMENT_ISSUER: JSON.stringify(trust),
    });
    try {
      const known = await Promise.all(Array.from({ length: people }, (_, n) => token(`u_${n}`)));
      const fresh = await Promise.all(Array.from({ length: 1_500 }, (_, n) => token(`n_${n}`)));
      const ask = (path: string, credentials: readonly string[], count = requests) =>
        processorPerRequest({ port, pid: cell.pid, path, credentials, count });
      await ask("/v1/cell", []);
      await ask("/v1/me", [key]);
      await ask("/v1/me", known);
      const rows: Record<"public" | "key" | "token", number[]> = { public: [], key: [], token: [] };
      for (let n = 0; n < rounds; n += 1) {
        rows.public.push(await ask("/v1/cell", []));
        rows.key.push(await ask("/v1/me", [key]));
        rows.token.push(await ask("/v1/me", known));
      }
      const first = await ask("/v1/me", fresh, fresh.length);
      return report(rows, first);
    } finally {
      await cell.stop();
    }
  } finally {
    await emulator.stop();
    await issuer.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function setUp(projectId: string, databaseId: string, emulatorHost: string): Promise<string> {
  const pool = new DatabasePool({ projectId, allow: [databaseId], emulatorHost });
  const place = { databaseId, defaultDatabase: databaseId, epoch: 1, copies: 1 };
  await establishTenant(pool, { tenantId: tenant, ...place });
  const { key, keyId, secretHash } = await makeApiKey("dev", tenant);
  const createdAt = new Date().toISOString();
  await new AccessWriter(pool, { tenantId: tenant, databaseId }).addKey(
    {
      keyId,
      tenantId: tenant,
      environment: "dev",
      label: "Benchmark",
      secretHash,
      scopes: ["items:read"],
      createdAt,
      expiresAt: null,
      revokedAt: null,
    },
    { at: createdAt, who: "bench", from: "bench", action: "key.create", target: tenant, detail: {} },
  );
  await pool.close();
  return key;
}

function report(rows: Record<"public" | "key" | "token", number[]>, first: number): Record<string, number> {
  for (const [name, values] of Object.entries(rows)) {
    console.log(`${name.padEnd(8)} ${median(values)} µs of processor a request (${spread(values)})`);
  }
  const base = median(rows.public);
  const figures = {
    key_cpu_us: Math.round(median(rows.key) - base),
    token_cpu_us: Math.round(median(rows.token) - base),
    first_token_cpu_us: Math.round(first - base),
    public_cpu_us: Math.round(base),
  };
  const cpu_us = Math.max(figures.key_cpu_us, figures.token_cpu_us);
  console.log(
    `A token that is seen for the first time (its signature is verified): ${figures.first_token_cpu_us} µs more.`,
  );
  console.log(`Bar: ${bar} µs: ${cpu_us <= bar ? "met" : "MISSED"}`);
  if (cpu_us > bar) process.exitCode = 1;
  return { cpu_us, ...figures };
}
