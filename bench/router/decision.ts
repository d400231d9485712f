import { decide } from "@proveniq/router/decide";
import { SnapshotDirectory } from "@proveniq/tenant-context/directory";
import { jobDirectory, sampleRequest } from "./job.ts";

// Run as a process of its own, with --expose-gc: `node decision.ts TENANTS`. Prints one line of JSON.

const tenants = Number(process.argv[2]);
const origins = Array.from({ length: 8 }, (_, n) => `http://127.0.0.1:${9_000 + n}`);

/** Memory that is in use after a collection, on the heap and off it. */
function bytesInUse(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

let text = JSON.stringify(jobDirectory(tenants, origins));
const directory = new SnapshotDirectory(() => undefined);
directory.offerText(JSON.stringify(jobDirectory(1, origins)), "warm-up");
const other = new SnapshotDirectory(() => undefined);
const before = bytesInUse() - text.length;
other.offerText(text, "bench");
text = "";
const bytes = bytesInUse() - before;

// Requests as they come off the wire: each string is one of its own, its hash not yet known to the engine.
const requests = Array.from({ length: 65_536 }, (_, n) => {
  const { path, headers } = sampleRequest(n * 31 + 7, tenants);
  return {
    host: headers["host"] ?? "",
    path,
    tenantHeader: headers["x-tenant-id"],
    authorization: headers["authorization"],
  };
});
const fresh = (value: string | undefined) =>
  value === undefined ? undefined : Buffer.from(value).toString("latin1");

function nsPerDecision(): number {
  const batch = requests.map((r) => ({
    host: fresh(r.host) ?? "",
    path: fresh(r.path) ?? "",
    tenantHeader: fresh(r.tenantHeader),
    authorization: fresh(r.authorization),
  }));
  // What the requests themselves cost to make is collected now and not in the middle.
  globalThis.gc?.();
  let routed = 0;
  // This thread's own time: other processes on the machine must not count.
  const before = process.threadCpuUsage();
  for (const request of batch) {
    const decision = decide(request, other);
    if (!(decision instanceof Promise) && decision.kind === "route") routed += 1;
  }
  const { user, system } = process.threadCpuUsage(before);
  if (routed !== batch.length) throw new Error(`${batch.length - routed} requests were not routed`);
  return ((user + system) * 1_000) / batch.length;
}

for (let n = 0; n < 5; n += 1) nsPerDecision();
const rounds = Array.from({ length: 15 }, nsPerDecision).toSorted((a, b) => a - b);
console.log(JSON.stringify({ ns: rounds[7], bytesPerTenant: bytes / tenants }));
