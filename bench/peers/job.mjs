// The job that all peers do alike: header, host or path -> tenant -> cell. Nothing else: no log, no retry.
import { readFileSync } from "node:fs";

const job = JSON.parse(readFileSync(process.env.JOB, "utf8"));
const tenants = new Map(Object.entries(job.tenants));
const hosts = new Map(Object.entries(job.hosts));

export const origins = job.origins;
export const port = Number(process.env.PORT);

/** Number of the cell that a request goes to. */
export function cellOf(headers, url) {
  let tenant = headers["x-tenant-id"];
  if (tenant === undefined && url.startsWith("/t/")) tenant = url.slice(3, url.indexOf("/", 3));
  tenant ??= hosts.get(headers.host);
  return tenants.get(tenant) ?? 0;
}
