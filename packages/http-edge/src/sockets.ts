import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** How long a client may go on sending after its last answer, so that it can still read it. */
export interface LingerLimits {
  ms: number;
  bytes: number;
}

export const defaultLinger: LingerLimits = { ms: 2_000, bytes: 1024 * 1024 };

/**
 * All sockets of a server, from accept to close: none is ever without a listener for `error` (Node would end the process), and
 * those that HTTP has let go of (CONNECT, broken heads, time-outs) are counted and released too.
 */
export class Sockets {
  readonly #all = new Set<Duplex>();
  readonly #linger: LingerLimits;

  constructor(linger: Partial<LingerLimits> = {}) {
    this.#linger = { ...defaultLinger, ...linger };
  }

  /** Those that are open, whatever they do. */
  get size(): number {
    return this.#all.size;
  }

  /** Call it for every accepted socket, before anything else listens to it. */
  add(socket: Duplex): void {
    this.#all.add(socket);
    // Whoever works with the socket hears of its end by `close`; what broke it is of no interest to anybody.
    socket.on("error", () => undefined);
    socket.once("close", () => this.#all.delete(socket));
  }

  /** Write a last answer and let go. Does nothing to one that was let go already. */
  refuse(socket: Duplex, text: string): void {
    this.letGo(socket, text);
  }

  /**
   * End our side, and read away what the client still sends for a short while: closed at once, the socket would be reset, and the
   * client could not read what was written last (RFC 9112, section 9.6). Then it is destroyed.
   */
  letGo(socket: Duplex, text = ""): void {
    if (socket.destroyed || socket.writableEnded) return;
    const timer = setTimeout(() => socket.destroy(), this.#linger.ms);
    socket.once("close", () => clearTimeout(timer));
    let left = this.#linger.bytes;
    // Node may have paused the socket, and hears that it goes on in the next turn only.
    socket.resume();
    setImmediate(() => {
      // Node's parser would see one broken request after the other.
      socket.removeAllListeners("data");
      socket.on("data", (piece: Buffer) => {
        left -= piece.length;
        if (left < 0) socket.destroy();
      });
    });
    // Whoever ends too has read all that it wanted.
    socket.once("end", () => {
      if (socket.writableFinished) socket.destroy();
      else socket.once("finish", () => socket.destroy());
    });
    if (text === "") socket.end();
    else socket.end(text, "latin1");
  }

  /** Cut those that have never sent a byte: Node takes them for busy ones. */
  destroySilent(): void {
    for (const socket of this.#all) if (socket instanceof Socket && socket.bytesRead === 0) socket.destroy();
  }

  /** Cut whatever is left; gives their number. */
  destroyAll(): number {
    const { size } = this.#all;
    for (const socket of this.#all) socket.destroy();
    return size;
  }
}
