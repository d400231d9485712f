import { readFile } from "node:fs/promises";

/** `sl: local remote state tx_queue:rx_queue …`, addresses and numbers in hexadecimal (Linux, proc_net_tcp). */
const line = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):/;

/**
 * Bytes that the kernel holds for each TCP connection until the other side takes them, by `localPort:remotePort`; those of
 * connections that share both are summed up. Undefined where the kernel does not say: anywhere but on Linux.
 */
export async function transmitQueues(): Promise<Map<string, number> | undefined> {
  try {
    const [v4, v6] = await Promise.all([
      readFile("/proc/net/tcp", "latin1"),
      readFile("/proc/net/tcp6", "latin1").catch(() => ""),
    ]);
    return readQueues(`${v4}\n${v6}`);
  } catch {
    return undefined;
  }
}

/** Read such tables. */
export function readQueues(tables: string): Map<string, number> {
  const queues = new Map<string, number>();
  for (const text of tables.split("\n")) {
    const [, local, remote, waiting] = line.exec(text) ?? [];
    if (local === undefined || remote === undefined || waiting === undefined) continue;
    const key = `${Number.parseInt(local, 16)}:${Number.parseInt(remote, 16)}`;
    queues.set(key, (queues.get(key) ?? 0) + Number.parseInt(waiting, 16));
  }
  return queues;
}
