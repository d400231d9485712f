import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DirectorySnapshot } from "@proveniq/contracts";

export const cellCount = 8;
const ownHosts = 64;

export const tenantName = (n: number) => `partner-${n.toString(36).padStart(5, "0")}`;
export const cellOfTenant = (n: number) => (n * 7 + (n >> 5)) % cellCount;

/** One request of the load, and the cell that must answer it. */
export interface Sample {
  path: string;
  headers: Record<string, string>;
  cell: number;
}

/** Request `n` of the load: six in ten by header, three by path, one by the tenant's own host. */
export function sampleRequest(n: number, tenants: number): Sample {
  const tenant = (n * 7919 + 13) % tenants;
  const kind = n % 10;
  if (kind < 6) return sample("/v1/items?limit=20", { "x-tenant-id": tenantName(tenant) }, tenant);
  if (kind < 9) return sample(`/t/${tenantName(tenant)}/v1/items?limit=20`, {}, tenant);
  const own = tenant % ownHosts;
  return sample("/v1/items?limit=20", { host: `${tenantName(own)}.proveniq.io` }, own);
}

function sample(path: string, headers: Record<string, string>, tenant: number): Sample {
  const usual = {
    host: "api.proveniq.io",
    accept: "application/json",
    "user-agent": "bench/1",
    authorization: "Bearer opaque",
  };
  return { path, headers: { ...usual, ...headers }, cell: cellOfTenant(tenant) };
}

/** The directory of the job, for the router. */
export function jobDirectory(tenants: number, origins: readonly string[]): DirectorySnapshot {
  const cells = origins.map(
    (origin, n) => [`c${n}x`, { residency: "global", api: origin, bulk: origin }] as const,
  );
  return {
    version: 1,
    publishedAt: "2026-01-01T00:00:00Z",
    topology: {
      hosts: { "api.proveniq.io": { kind: "global" } },
      defaults: { global: { cell: "c0x", tenant: "consumers" } },
      cells: Object.fromEntries(cells),
    },
    tenants: Object.fromEntries(
      Array.from({ length: tenants }, (_, n) => [tenantName(n), [`c${cellOfTenant(n)}x`, 1]]),
    ),
    tenantHosts: Object.fromEntries(
      Array.from({ length: Math.min(ownHosts, tenants) }, (_, n) => [
        `${tenantName(n)}.proveniq.io`,
        tenantName(n),
      ]),
    ),
  };
}

export interface JobFiles {
  /** For the router, and for the peers in JavaScript. */
  directory: string;
  job: string;
  /** `tenant c<n>` lines: nginx wants a semicolon after each. */
  nginxTenants: string;
  haproxyTenants: string;
  haproxyHosts: string;
  /** For wrk. */
  readScript: string;
  uploadScript: string;
}

/** Write everything that the proxies and the load read into `folder`. */
export async function writeJob(
  folder: string,
  tenants: number,
  origins: readonly string[],
): Promise<JobFiles> {
  const at = (name: string) => join(folder, name);
  const files: JobFiles = {
    directory: at("directory.json"),
    job: at("job.json"),
    nginxTenants: at("tenants.nginx"),
    haproxyTenants: at("tenants.haproxy"),
    haproxyHosts: at("hosts.haproxy"),
    readScript: at("read.lua"),
    uploadScript: at("upload.lua"),
  };
  const all = Array.from({ length: tenants }, (_, n) => n);
  const hosts = Array.from({ length: Math.min(ownHosts, tenants) }, (_, n) => n);
  const hostOf = (n: number) => `${tenantName(n)}.proveniq.io`;
  const numbers = Object.fromEntries(all.map((n) => [tenantName(n), cellOfTenant(n)]));
  const named = Object.fromEntries(hosts.map((n) => [hostOf(n), tenantName(n)]));
  const lines = (end: string) => all.map((n) => `${tenantName(n)} c${cellOfTenant(n)}${end}\n`).join("");
  await Promise.all([
    writeFile(files.directory, JSON.stringify(jobDirectory(tenants, origins))),
    writeFile(files.job, JSON.stringify({ tenants: numbers, hosts: named, origins })),
    writeFile(files.nginxTenants, lines(";")),
    writeFile(files.haproxyTenants, lines("")),
    writeFile(files.haproxyHosts, hosts.map((n) => `${hostOf(n)} ${tenantName(n)}\n`).join("")),
    writeFile(files.readScript, luaScript(tenants, 4_096, undefined)),
    writeFile(files.uploadScript, luaScript(tenants, 256, 1_048_576)),
  ]);
  return files;
}

/** A script for wrk: requests made beforehand and sent round and round; errors are printed as one line. */
function luaScript(tenants: number, requests: number, upload: number | undefined): string {
  const made = Array.from({ length: requests }, (_, n) => sampleRequest(n, tenants)).map(
    ({ path, headers }) => {
      const fields = Object.entries(headers).map(
        ([name, value]) => `["${name === "host" ? "Host" : name}"]="${value}"`,
      );
      return upload === undefined
        ? `wrk.format("GET", "${path}", {${fields.join(",")}})`
        : `wrk.format("POST", "${path.replace("items?limit=20", "upload")}", {${fields.join(",")},["content-type"]="application/octet-stream"}, body)`;
    },
  );
  return `local body = ${upload === undefined ? "nil" : `string.rep("x", ${upload})`}
local requests = {}
function init(args)
${made.map((r, n) => `  requests[${n + 1}] = ${r}`).join("\n")}
end
local n = 0
function request()
  n = n % ${requests} + 1
  return requests[n]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"errors":%d,"p50":%d,"p99":%d}\\n', summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`;
}
