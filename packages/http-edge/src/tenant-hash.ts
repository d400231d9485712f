import { createHash } from "node:crypto";

const most = 10_000;
const hashes = new Map<string, string>();

/** The first 12 hex digits of the id's SHA-256: log lines of one tenant can be found, its name cannot be read. */
export function tenantHash(tenantId: string): string {
  let hash = hashes.get(tenantId);
  if (hash === undefined) {
    hash = createHash("sha256").update(tenantId).digest("hex").slice(0, 12);
    // Callers choose the names.
    if (hashes.size >= most) hashes.clear();
    hashes.set(tenantId, hash);
  }
  return hash;
}
