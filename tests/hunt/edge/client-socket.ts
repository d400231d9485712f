import { connect, type Socket } from "node:net";
import { AnswerReader } from "./reader.ts";

/** One connection to the router, and what came on it. */
export class ClientSocket {
  readonly methods: string[] = [];
  readonly reader = new AnswerReader(this.methods);
  /** Bytes that came. */
  received = 0;
  ended = false;
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();
  #sip = Number.POSITIVE_INFINITY;

  constructor(port: number, localAddress: string) {
    this.#socket = connect({ port, host: "127.0.0.1", localAddress, allowHalfOpen: true });
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (piece: Buffer) => {
      this.received += piece.length;
      this.#sip -= piece.length;
      this.reader.push(piece);
      if (this.#sip <= 0) this.#socket.pause();
      this.#tell();
    });
    const end = (whole: boolean) => {
      if (this.ended) return;
      this.ended = true;
      // After a reset nobody knows whether an answer that lasts until the end is whole.
      if (whole) this.reader.end();
      this.#tell();
    };
    this.#socket.on("end", () => end(true));
    this.#socket.on("error", () => end(false));
    this.#socket.on("close", () => end(false));
  }

  write(bytes: Buffer): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(bytes);
  }

  pause(): void {
    this.#sip = 0;
    this.#socket.pause();
  }

  /** Read about so many bytes more. */
  sip(bytes: number): void {
    this.#sip = bytes;
    this.#socket.resume();
  }

  fin(): void {
    this.#socket.end();
  }

  rst(): void {
    // In the middle of its own end Node would lose a socket that it should reset.
    if (this.#socket.connecting || this.#socket.writableEnded !== this.#socket.writableFinished)
      this.#socket.destroy();
    else this.#socket.resetAndDestroy();
    this.ended = true;
    this.#tell();
  }

  /** Resolves true when `reached` gives true, false after `ms`. It is asked again with all that comes. */
  until(reached: () => boolean, ms: number): Promise<boolean> {
    if (reached()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (result: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(result);
      };
      const check = () => {
        if (reached()) done(true);
      };
      const timer = setTimeout(() => done(false), ms);
      this.#waiting.add(check);
    });
  }

  /** Like `until`, but as long as bytes come it goes on waiting: false when none came for `quietMs`. */
  async untilQuiet(reached: () => boolean, quietMs: number): Promise<boolean> {
    for (let before = -1; before !== this.received; ) {
      before = this.received;
      if (await this.until(reached, quietMs)) return true;
    }
    return false;
  }

  #tell(): void {
    for (const check of this.#waiting) check();
  }
}
