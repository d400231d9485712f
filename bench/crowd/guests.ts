import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { tenantName } from "../router/job.ts";

/** Connections of each kind that stand at the same time. */
export interface Crowd {
  idle: number;
  slowHeads: number;
  slowReaders: number;
}

const host = "Host: api.proveniq.io\r\n";

/** What one slow reader takes in a second. */
const bytesPerSecond = 1_500;

/** A connection, opened anew whenever the other side closes it. Addresses of the loopback have few ports each: there are many. */
function stand(port: number, n: number, meet: (socket: ReturnType<typeof connect>) => () => void): void {
  const into = Buffer.alloc(bytesPerSecond);
  const callback = () => false;
  const socket = connect({
    port,
    host: "127.0.0.1",
    localAddress: `127.0.2.${1 + (n % 200)}`,
    onread: { buffer: into, callback },
  });
  let stop = () => {};
  socket.on("error", () => undefined);
  socket.on("connect", () => {
    stop = meet(socket);
  });
  socket.on("close", () => {
    stop();
    setTimeout(() => stand(port, n, meet), 1_000);
  });
}

/** Have them all stand there; resolves when they do. They stay until the process ends. */
async function gather(port: number, { idle, slowHeads, slowReaders }: Crowd): Promise<void> {
  const every = (ms: number, work: () => void) => {
    const timer = setInterval(work, ms);
    return () => clearInterval(timer);
  };
  const kinds: [number, (socket: ReturnType<typeof connect>, n: number) => () => void][] = [
    [idle, () => () => undefined],
    [
      slowHeads,
      (socket) => {
        socket.write(`GET /v1/items HTTP/1.1\r\n${host}X-Slow: `);
        return every(1_000, () => socket.write("x"));
      },
    ],
    [
      slowReaders,
      (socket, n) => {
        socket.write(`GET /big HTTP/1.1\r\n${host}X-Tenant-ID: ${tenantName(n)}\r\n\r\n`);
        return every(1_000, () => socket.resume());
      },
    ],
  ];
  let n = 0;
  for (const [count, meet] of kinds) {
    for (let m = 0; m < count; m += 1) {
      const own = (n += 1);
      stand(port, own, (socket) => meet(socket, own));
      if (n % 100 === 0) await sleep(20);
    }
  }
}

const [port = 0, idle = 0, slowHeads = 0, slowReaders = 0] = process.argv.slice(2).map(Number);
await gather(port, { idle, slowHeads, slowReaders });
process.stdout.write("standing\n");
