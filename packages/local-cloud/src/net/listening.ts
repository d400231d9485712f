import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";

/** A port that somebody else holds. */
export interface BusyPort {
  port: number;
  /** Who holds it, where the system tells: Linux does, for one's own processes. */
  holder?: { pid: number; command: string };
}

/** Which of the ports cannot be listened on, in the order given. */
export async function busyPorts(ports: readonly number[]): Promise<BusyPort[]> {
  const free = await Promise.all(ports.map(isFree));
  const busy = ports.filter((_, n) => free[n] === false);
  return Promise.all(
    busy.map(async (port) => {
      const holder = await holderOf(port);
      return holder === undefined ? { port } : { port, holder };
    }),
  );
}

/** Such as `port 8080 is in use by process 4711 (node server.js)`. */
export function describeBusy({ port, holder }: BusyPort): string {
  return `port ${port} is in use${holder === undefined ? "" : ` by process ${holder.pid} (${holder.command})`}`;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Inodes of the sockets that listen on a port, from the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(wanted) === true && fields[3] === "0A")
    .flatMap((fields) => fields[9] ?? []);
}

async function holderOf(port: number): Promise<BusyPort["holder"]> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((file) => readFile(file, "utf8").catch(() => "")),
  );
  const sockets = new Set(tables.flatMap((t) => listeningInodes(t, port)).map((i) => `socket:[${i}]`));
  if (sockets.size === 0) return undefined;
  for (const pid of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      if (!sockets.has(target)) continue;
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return { pid: Number(pid), command: shorten(command.replaceAll("\0", " ").trim()) };
    }
  }
  return undefined;
}

function shorten(command: string): string {
  return command.length > 100 ? `${command.slice(0, 99)}…` : command;
}
