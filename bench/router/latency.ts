import { connect, type Socket } from "node:net";
import { build, type Histogram } from "hdr-histogram-js";
import { sampleRequest } from "./job.ts";

export interface Latency {
  p50Us: number;
  p99Us: number;
}

/**
 * Ask at a fixed rate over kept connections, whatever the answers take, and measure each from the moment at which it
 * was due. Throws when an answer is not 200.
 */
export async function latencyAt(
  port: number,
  options: { perSecond: number; seconds: number; connections: number; tenants: number },
): Promise<Latency> {
  const { perSecond, seconds, connections, tenants } = options;
  const lines = Array.from({ length: 1_024 }, (_, n) => {
    const { path, headers } = sampleRequest(n, tenants);
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `GET ${path} HTTP/1.1\r\n${fields.join("")}\r\n`;
  });
  const histogram = build({ numberOfSignificantValueDigits: 3 });
  const idle: Caller[] = [];
  const callers = await Promise.all(
    Array.from({ length: connections }, () => openCaller(port, histogram, idle)),
  );
  const total = perSecond * seconds;
  const startedAt = performance.now();
  for (let sent = 0; sent < total; ) {
    const due = startedAt + (sent * 1_000) / perSecond;
    if (performance.now() < due) {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    const caller = idle.shift();
    if (caller === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    caller.send(lines[sent % lines.length] ?? "", due);
    sent += 1;
  }
  for (let waited = 0; idle.length < connections && waited < 5_000; waited += 10)
    await new Promise((resolve) => setTimeout(resolve, 10));
  for (const caller of callers) caller.socket.destroy();
  const failed = callers.find((c) => c.failure !== undefined)?.failure;
  if (failed !== undefined) throw new Error(`port ${port}: ${failed}`);
  if (histogram.totalCount !== total)
    throw new Error(`port ${port}: ${histogram.totalCount} of ${total} answers came`);
  return { p50Us: histogram.getValueAtPercentile(50), p99Us: histogram.getValueAtPercentile(99) };
}

interface Caller {
  socket: Socket;
  failure: string | undefined;
  send(text: string, due: number): void;
}

function openCaller(port: number, histogram: Histogram, idle: Caller[]): Promise<Caller> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let dueAt = 0;
    let text = "";
    const caller: Caller = {
      socket,
      failure: undefined,
      send: (line, due) => {
        dueAt = due;
        text = "";
        socket.write(line, "latin1");
      },
    };
    socket.on("error", reject);
    socket.on("connect", () => {
      idle.push(caller);
      resolve(caller);
    });
    socket.on("data", (piece: Buffer) => {
      text += piece.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const length = end === -1 ? undefined : /content-length: (\d+)/i.exec(text)?.[1];
      if (length === undefined || text.length < end + 4 + Number(length)) return;
      if (!text.startsWith("HTTP/1.1 200")) caller.failure = text.slice(0, 40);
      histogram.recordValue(Math.max(1, Math.round((performance.now() - dueAt) * 1_000)));
      idle.push(caller);
    });
  });
}
