import { Agent, request } from "node:http";
import { cpuMs } from "../lib/process.ts";

export interface Load {
  port: number;
  /** Whose processor time counts. */
  pid: number;
  path: string;
  /** Sent in turn; none: no credential. */
  credentials: readonly string[];
  count: number;
}

const atOnce = 8;

/** Processor time, of all threads, that the process spends per request, in microseconds. Every answer must be 200. */
export async function processorPerRequest(load: Load): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  let sent = 0;
  const before = await cpuMs(load.pid);
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (sent < load.count) {
        const credential = load.credentials[sent % Math.max(1, load.credentials.length)];
        sent += 1;
        const status = await ask(load, agent, credential);
        if (status !== 200) throw new Error(`${load.path} answered ${status}`);
      }
    }),
  );
  const spent = (await cpuMs(load.pid)) - before;
  agent.destroy();
  return (spent * 1000) / load.count;
}

function ask({ port, path }: Load, agent: Agent, credential: string | undefined): Promise<number> {
  const headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path, headers, agent }, (incoming) => {
      incoming.resume();
      incoming.on("end", () => resolve(incoming.statusCode ?? 0));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
