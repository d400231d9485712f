import { connect, type Socket } from "node:net";

/** What came back on one connection. */
export interface RawReply {
  text: string;
  /** The other side closed the connection. */
  closed: boolean;
}

/**
 * Write `pieces` to a new connection, a few milliseconds apart, and collect what comes until the other side closes,
 * `until` is satisfied, or nothing has come for `quietMs` after the last write.
 */
export function exchangeRaw(
  port: number,
  pieces: readonly string[],
  options: { quietMs?: number; until?: (text: string) => boolean; host?: string } = {},
): Promise<RawReply> {
  const { quietMs = 150, until, host = "127.0.0.1" } = options;
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host, allowHalfOpen: true });
    let text = "";
    let closed = false;
    let timer: NodeJS.Timeout | undefined;
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed });
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(finish, quietMs);
    };
    socket.on("data", (piece: Buffer) => {
      text += piece.toString("latin1");
      if (until?.(text) === true) finish();
      else if (timer !== undefined) wait();
    });
    const end = () => {
      closed = true;
      finish();
    };
    socket.on("end", end);
    socket.on("error", end);
    void (async () => {
      for (const piece of pieces) {
        if (closed) return;
        socket.write(piece, "latin1");
        await new Promise((next) => setTimeout(next, 4));
      }
      wait();
    })();
  });
}

/** Status codes of all final answers in a reply, in order; `100` and other interim ones are left out. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map((match) => Number(match[1]));
}
