import type { Socket } from "node:net";
import { ChunkedDecoder } from "./chunked.ts";
import { type Endpoint, openSocket } from "./endpoint.ts";
import { parseResponseHead } from "./response-head.ts";
import type {
  FailureKind,
  ResponseHandler,
  ResponseHead,
  UpstreamCall,
  UpstreamLimits,
  UpstreamRequest,
} from "./types.ts";

const maxHeadBytes = 32 * 1024;
const maxInterimAnswers = 8;

/** What a connection tells its pool. */
export interface ConnectionOwner {
  /** The answer is complete and the connection can take another request. */
  onIdle(connection: Connection): void;
  /** It is closed and never comes back. */
  onGone(connection: Connection): void;
}

type Phase = "connect" | "send" | "first-byte" | "body" | "idle" | "closed";

/**
 * One HTTP/1.1 connection to a cell: one request at a time, no pipelining. Every failure ends it, so that no two
 * parties can ever disagree on where a message ends.
 */
export class Connection implements UpstreamCall {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  #phase: Phase = "connect";
  /** Milliseconds without progress in this phase, counted by `age`. */
  #stalledMs = 0;
  #keepAliveMs = 0;
  #served = 0;
  #error: Error | undefined;

  #handler: ResponseHandler | undefined;
  #request: UpstreamRequest | undefined;
  #requestSent = false;

  #partialHead: Buffer | undefined;
  #interim = 0;
  #head: ResponseHead | undefined;
  #left = 0;
  #chunks: ChunkedDecoder | undefined;
  #full = false;

  constructor(endpoint: Endpoint, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#socket = openSocket(endpoint, (piece) => this.#onData(piece));
    this.#socket.setNoDelay(true);
    this.#socket.once(endpoint.secure ? "secureConnect" : "connect", () => this.#onConnect());
    this.#socket.on("drain", () => this.#onDrain());
    this.#socket.on("end", () => this.#onEnd());
    this.#socket.on("error", (error) => {
      this.#error = error;
    });
    this.#socket.on("close", () => this.#onClose());
  }

  /** Take a request. Only on a new or an idle connection. */
  start(request: UpstreamRequest, handler: ResponseHandler): UpstreamCall {
    this.#request = request;
    this.#handler = handler;
    this.#requestSent = false;
    this.#head = undefined;
    this.#interim = 0;
    this.#stalledMs = 0;
    // Before the connection stands, the socket keeps what is written.
    if (this.#phase === "idle") this.#phase = "send";
    this.#sendHead(request);
    return this;
  }

  get idle(): boolean {
    return this.#phase === "idle" && !this.#socket.destroyed;
  }

  /** Time has passed: `ms` since the last call. Ends the connection when it has waited too long. */
  age(ms: number, limits: UpstreamLimits): void {
    this.#stalledMs += ms;
    const stalled = this.#stalledMs;
    switch (this.#phase) {
      case "idle":
        if (stalled > (this.#keepAliveMs || limits.keepAliveMs)) this.#socket.destroy();
        break;
      case "connect":
        if (stalled > limits.connectMs) this.#fail("connect-timeout", "no connection in time");
        break;
      case "send":
        if (stalled > limits.idleMs)
          this.#fail(
            this.#socket.writableNeedDrain ? "idle-timeout" : "client-idle",
            "no progress in the request's body",
          );
        break;
      case "first-byte":
        if (stalled > limits.firstByteMs) this.#fail("first-byte-timeout", "no answer in time");
        break;
      case "body":
        if (stalled > limits.idleMs) this.#fail("idle-timeout", "no progress in the answer's body");
        break;
      case "closed":
        break;
    }
  }

  writeBody(piece: Buffer): boolean {
    if (this.#phase === "closed" || this.#handler === undefined) return true;
    this.#stalledMs = 0;
    if (this.#request?.body !== "streamed-chunked") return this.#socket.write(piece);
    this.#socket.cork();
    this.#socket.write(`${piece.length.toString(16)}\r\n`, "latin1");
    this.#socket.write(piece);
    const open = this.#socket.write("\r\n", "latin1");
    this.#socket.uncork();
    return open;
  }

  endBody(): void {
    if (this.#phase === "closed" || this.#handler === undefined) return;
    if (this.#request?.body === "streamed-chunked") this.#socket.write("0\r\n\r\n", "latin1");
    this.#onSent();
  }

  resume(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#stalledMs = 0;
    this.#socket.resume();
  }

  abort(): void {
    this.#handler = undefined;
    this.#socket.destroy();
  }

  /** Close an idle connection, or end one under way with a failure. */
  destroy(): void {
    this.#socket.destroy();
  }

  #onConnect(): void {
    this.#stalledMs = 0;
    this.#phase = this.#requestSent ? "first-byte" : "send";
  }

  #sendHead(request: UpstreamRequest): void {
    const { body, head, contentLength } = request;
    if (body === undefined) {
      this.#socket.write(
        `${head}${expectsBody(request.method) ? "content-length: 0\r\n\r\n" : "\r\n"}`,
        "latin1",
      );
      this.#onSent();
    } else if (body === "streamed-chunked") {
      this.#socket.write(`${head}transfer-encoding: chunked\r\n\r\n`, "latin1");
    } else if (body === "streamed-length") {
      this.#socket.write(`${head}content-length: ${contentLength}\r\n\r\n`, "latin1");
    } else {
      this.#socket.cork();
      this.#socket.write(`${head}content-length: ${body.length}\r\n\r\n`, "latin1");
      this.#socket.write(body);
      this.#socket.uncork();
      this.#onSent();
    }
  }

  #onSent(): void {
    this.#requestSent = true;
    this.#stalledMs = 0;
    if (this.#phase === "send") this.#phase = "first-byte";
  }

  #onDrain(): void {
    this.#stalledMs = 0;
    if (!this.#requestSent) this.#handler?.onDrain();
  }

  #onData(piece: Buffer): void {
    this.#stalledMs = 0;
    if (this.#handler === undefined) {
      // Nobody has asked: bytes that would be taken for the answer to the next request.
      this.#socket.destroy();
      return;
    }
    if (this.#head === undefined) this.#onHeadBytes(piece);
    else this.#onBodyBytes(piece);
  }

  #onHeadBytes(piece: Buffer): void {
    const bytes = this.#partialHead === undefined ? piece : Buffer.concat([this.#partialHead, piece]);
    this.#partialHead = undefined;
    const end = bytes.indexOf("\r\n\r\n");
    if (end === -1) {
      if (bytes.length > maxHeadBytes) this.#fail("protocol", "the answer's head is too large");
      else this.#partialHead = Buffer.from(bytes);
      return;
    }
    const head = parseResponseHead(bytes.toString("latin1", 0, end), this.#request?.method === "HEAD");
    if (head === undefined || head.status === 101 || end > maxHeadBytes) {
      this.#fail("protocol", "the answer's head is malformed");
      return;
    }
    const rest = bytes.subarray(end + 4);
    if (head.status < 200) {
      this.#interim += 1;
      if (this.#interim > maxInterimAnswers) this.#fail("protocol", "too many interim answers");
      else if (rest.length > 0) this.#onHeadBytes(rest);
      return;
    }
    this.#head = head;
    this.#left = head.length;
    this.#chunks = head.framing === "chunked" ? new ChunkedDecoder() : undefined;
    this.#phase = "body";
    this.#handler?.onHead(head);
    if (head.framing === "none") this.#onComplete(rest.length > 0);
    else if (rest.length > 0) this.#onBodyBytes(rest);
  }

  #onBodyBytes(piece: Buffer): void {
    const { framing } = this.#head ?? {};
    if (framing === "length") {
      const own = piece.length > this.#left ? piece.subarray(0, this.#left) : piece;
      this.#left -= own.length;
      this.#emit(own, this.#left === 0);
      if (this.#left === 0) this.#onComplete(own.length < piece.length);
    } else if (framing === "chunked") {
      const decoded = this.#chunks?.decode(piece, (part) => this.#emit(part, false));
      if (decoded?.state === "error") this.#fail("protocol", "the answer's chunks are malformed");
      else if (decoded?.state === "done") this.#onComplete(decoded.used < piece.length);
    } else this.#emit(piece, false);
  }

  #emit(piece: Buffer, last: boolean): void {
    if (this.#handler === undefined || this.#handler.onBody(piece, last) || last) return;
    this.#full = true;
    this.#socket.pause();
  }

  /** @param surplus The cell sent more than it announced. */
  #onComplete(surplus: boolean): void {
    const handler = this.#handler;
    const head = this.#head;
    if (handler === undefined) return;
    this.#handler = undefined;
    this.#request = undefined;
    this.#served += 1;
    if (this.#full) {
      this.#full = false;
      this.#socket.resume();
    }
    if (surplus || head?.reusable !== true || !this.#requestSent) this.#socket.destroy();
    else {
      // A second less than the cell keeps it, so that the router is the one who closes.
      const announced = head.keepAliveSeconds;
      this.#keepAliveMs = announced === undefined ? 0 : Math.min(Math.max(announced - 1, 0.5), 600) * 1_000;
      this.#phase = "idle";
      this.#owner.onIdle(this);
    }
    handler.onEnd();
  }

  #onEnd(): void {
    if (this.#phase === "idle") this.#phase = "closed";
    else if (this.#head?.framing === "close" && this.#handler !== undefined) this.#onComplete(true);
  }

  #fail(kind: FailureKind, message: string): void {
    const handler = this.#handler;
    this.#handler = undefined;
    this.#socket.destroy();
    handler?.onFailure({ kind, message, stale: false });
  }

  #onClose(): void {
    const connecting = this.#phase === "connect";
    this.#phase = "closed";
    this.#owner.onGone(this);
    const handler = this.#handler;
    this.#handler = undefined;
    if (handler === undefined) return;
    const message = this.#error?.message ?? "the cell closed the connection";
    const untouched = this.#head === undefined && this.#partialHead === undefined && this.#interim === 0;
    handler.onFailure({
      kind: connecting ? "connect" : "reset",
      message,
      stale: untouched && this.#served > 0,
    });
  }
}

function expectsBody(method: string): boolean {
  return method === "POST" || method === "PUT" || method === "PATCH";
}
