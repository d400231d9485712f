import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type GuardedChild, spawnGuarded } from "@proveniq/local-cloud/process";
import { cellCount, type JobFiles } from "./job.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A program under measurement, or the cells behind all of them. */
export interface Running {
  name: string;
  port: number;
  /** All processes whose CPU counts. */
  pids: number[];
  stop(): Promise<void>;
}

/** Published JavaScript proxies, by the file in bench/peers that runs them. */
export const scriptPeers = [
  "hono-proxy",
  "http-proxy-3",
  "fastify-http-proxy",
  "fastify-reply-from",
  "fast-proxy",
];

interface Launch {
  name: string;
  port: number;
  command: string;
  args: string[];
  env?: Record<string, string>;
  /** Standard output goes here. */
  logFile: string;
}

async function launch(how: Launch): Promise<Running> {
  const env = { PATH: process.env["PATH"], ...how.env };
  // Straight into the file: this process must not pass on what others log.
  const shell = ["-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", how.logFile, how.command, ...how.args];
  const child = spawnGuarded("/bin/sh", shell, { env });
  child.stdout.resume();
  child.stderr.resume();
  await untilOpen(how, child);
  return {
    name: how.name,
    port: how.port,
    pids: [child.pid],
    stop: async () => {
      await child.stop(3_000);
    },
  };
}

async function untilOpen({ name, port, logFile }: Launch, child: GuardedChild): Promise<void> {
  let ended: number | string | null | undefined;
  void child.exited.then(({ code, signal }) => {
    ended = code ?? signal;
  });
  for (let waited = 0; waited < 15_000; waited += 25) {
    if (ended !== undefined) {
      const said = readFileSync(logFile, "utf8").slice(-1_000);
      throw new Error(`${name} ended at its start (exit ${ended}):\n${said}`);
    }
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" }, () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (open) return;
    await sleep(25);
  }
  throw new Error(`${name} did not listen on ${port} within 15 s`);
}

const nginxHead = (folder: string, name: string) => `daemon off; master_process off; worker_processes 1;
pid ${folder}/${name}.pid; error_log ${folder}/${name}.error error;
events { worker_connections 4096; }
`;

async function launchNginx(folder: string, name: string, port: number, http: string): Promise<Running> {
  await mkdir(join(folder, `${name}-tmp`), { recursive: true });
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${name}-tmp;`)
    .join(" ");
  const config = join(folder, `${name}.conf`);
  await writeFile(config, `${nginxHead(folder, name)}http {\n${temp}\n${http}\n}\n`);
  const logFile = join(folder, `${name}.out`);
  return launch({ name, port, command: "nginx", args: ["-c", config, "-p", folder], logFile });
}

/** The eight cells: nginx, which answers ~529 bytes of JSON that name the cell, and takes bodies. */
export async function startCells(folder: string, ports: readonly number[]): Promise<Running> {
  const filler = "x".repeat(440);
  const first = ports[0] ?? 0;
  // A body is read in full before it is answered: the inner request has none and is answered by the first cell.
  const upload = `location ~ /upload$ { rewrite ^ /inner break; client_body_buffer_size 2m; proxy_pass_request_body off; proxy_set_header Content-Length "";
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Tenant-ID $http_x_tenant_id; proxy_method GET;
    proxy_pass http://inner; }`;
  const servers = ports.map(
    (port, n) => `server { listen 127.0.0.1:${port} backlog=2048; default_type application/json;
  location = /big { alias ${folder}/big; }
  ${upload}
  location / { return 200 '{"cell":"c${n}","tenant":"$http_x_tenant_id","filler":"${filler}"}'; } }`,
  );
  const http = `access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; client_max_body_size 200m;
upstream inner { server 127.0.0.1:${first}; keepalive 64; keepalive_requests 1000000000; }\n${servers.join("\n")}`;
  return launchNginx(folder, "cells", ports[0] ?? 0, http);
}

export async function startNginx(
  folder: string,
  port: number,
  files: JobFiles,
  cells: readonly number[],
): Promise<Running> {
  const upstreams = cells.map(
    (p, n) => `upstream c${n} { server 127.0.0.1:${p}; keepalive 64; keepalive_requests 1000000000; }`,
  );
  const http = `map_hash_max_size 2097152; map_hash_bucket_size 128;
access_log ${folder}/nginx.access combined buffer=64k flush=1s;
keepalive_requests 1000000000; keepalive_timeout 600s; client_max_body_size 200m;
${upstreams.join("\n")}
map $uri $by_path { default ""; "~^/t/(?<named>[a-z0-9-]+)/" $named; }
map $host $by_host { default ""; "~^(?<own>partner-[a-z0-9]+)\\.proveniq\\.io$" $own; }
map $by_path $by_path_or_host { "" $by_host; default $by_path; }
map $http_x_tenant_id $tenant { "" $by_path_or_host; default $http_x_tenant_id; }
map $tenant $cell { default c0; include ${files.nginxTenants}; }
server { listen 127.0.0.1:${port} backlog=2048;
  location / { proxy_pass http://$cell; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header X-Tenant-ID $tenant; proxy_set_header X-Request-ID $request_id; proxy_request_buffering off;
    proxy_connect_timeout 2s; proxy_read_timeout 60s; proxy_send_timeout 30s; } }`;
  return launchNginx(folder, "nginx", port, http);
}

export async function startHaproxy(
  folder: string,
  port: number,
  files: JobFiles,
  cells: readonly number[],
): Promise<Running> {
  const config = join(folder, "haproxy.cfg");
  const backends = cells.map((p, n) => `backend c${n}\n  server s 127.0.0.1:${p}`);
  await writeFile(
    config,
    `global
  nbthread 1
  maxconn 4096
  log stdout format raw local0 info
defaults
  mode http
  log global
  option httplog
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend f
  bind 127.0.0.1:${port}
  http-request set-var(txn.t) req.hdr(x-tenant-id)
  http-request set-var(txn.t) path,field(3,/) if { path_beg /t/ }
  http-request set-var(txn.t) req.hdr(host),map(${files.haproxyHosts}) if !{ var(txn.t) -m found }
  http-request set-header x-tenant-id %[var(txn.t)]
  use_backend %[var(txn.t),map(${files.haproxyTenants},c0)]
  default_backend c0
${backends.join("\n")}
`,
  );
  return launch({
    name: "haproxy",
    port,
    command: "haproxy",
    args: ["-db", "-f", config],
    logFile: join(folder, "haproxy.log"),
  });
}

/** The router as it is shipped: built, with its access log. */
export function startRouterProcess(
  folder: string,
  port: number,
  directory: string,
  more: Record<string, string> = {},
): Promise<Running> {
  return launch({
    name: "router",
    port,
    command: process.execPath,
    args: [join(root, "apps/router/dist/server.js")],
    env: {
      PORT: String(port),
      HOST: "127.0.0.1",
      DIRECTORY_FILE: directory,
      PROVENIQ_ENV: "development",
      FLEET_ZONE: "proveniq.io",
      ...more,
    },
    logFile: join(folder, "router.log"),
  });
}

export function startScriptPeer(
  folder: string,
  name: string,
  port: number,
  files: JobFiles,
): Promise<Running> {
  return launch({
    name,
    port,
    command: process.execPath,
    args: [join(root, "bench/peers", `${name}.mjs`)],
    env: { PORT: String(port), JOB: files.job },
    logFile: join(folder, `${name}.log`),
  });
}

/** Ports for the cells, as origins. */
export function originsOf(ports: readonly number[]): string[] {
  if (ports.length !== cellCount) throw new Error(`the job has ${cellCount} cells`);
  return ports.map((port) => `http://127.0.0.1:${port}`);
}
