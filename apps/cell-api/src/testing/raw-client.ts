import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Heard {
  text: string;
  /** The other side closed, or reset, the connection. */
  closed: boolean;
}

/** Send bytes as they are; what comes back until the other side closes, or nothing has come for `quietMs`. */
export function exchangeRaw(port: number, bytes: string, quietMs = 1_500): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    let text = "";
    let closed = true;
    socket.setTimeout(quietMs, () => {
      closed = false;
      socket.destroy();
    });
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve({ text, closed }));
  });
}

/** Statuses of all answers in a text. */
export const statusesIn = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

/** Send bytes, then reset the connection: no FIN, the other side gets ECONNRESET. */
export async function sendAndReset(port: number, bytes: string, afterMs = 30): Promise<void> {
  const socket = await open(port);
  socket.write(bytes, "latin1");
  await sleep(afterMs);
  socket.resetAndDestroy();
}

export function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => resolve(socket));
    socket.once("error", reject);
    socket.on("error", () => {});
  });
}
