import { readFileSync } from "node:fs";

/** How many files and sockets this process may have open; undefined where the system does not say (Linux does). */
export function descriptorLimit(file = "/proc/self/limits"): number | undefined {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync(file, "utf8"))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
}
