import type { Socket } from "node:net";
import { Call } from "./call.ts";
import { type Endpoint, openSocket } from "./endpoint.ts";
import type { FailureKind, ResponseHandler, UpstreamCall, UpstreamLimits, UpstreamRequest } from "./types.ts";

/** What a connection tells its pool. */
export interface ConnectionOwner {
  /** Its request is over, in whatever way: nobody has the connection now. */
  onLetGo(connection: Connection): void;
  /** The answer is complete and the connection can take another request. */
  onIdle(connection: Connection): void;
  /** It is closed and never comes back. */
  onGone(connection: Connection): void;
  /** Our own code threw while nobody's request was under way. */
  onFault(error: unknown): void;
}

type Phase = "connect" | "send" | "first-byte" | "body" | "idle" | "closed";

/**
 * One HTTP/1.1 connection to a cell: one request at a time, no pipelining. Every failure ends it, so that no two
 * parties can ever disagree on where a message ends. It talks to the call that it has now, and only that one can act on it.
 */
export class Connection {
  /** Whose request is under way, for the pool's bookkeeping. */
  holder: string | undefined;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  #phase: Phase = "connect";
  /** Milliseconds without progress in this phase, counted by `age`. */
  #stalledMs = 0;
  #keepAliveMs = 0;
  #served = 0;
  #error: Error | undefined;
  #call: Call | undefined;

  constructor(endpoint: Endpoint, owner: ConnectionOwner) {
    this.#owner = owner;
    const socket = openSocket(endpoint, (piece) => this.#guardedData(piece));
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.once(endpoint.secure ? "secureConnect" : "connect", () => this.#guard(() => this.#onConnect()));
    socket.on("drain", () => this.#guard(() => this.#onDrain()));
    socket.on("end", () => this.#guard(() => this.#onEnd()));
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => this.#guard(() => this.#onClose()));
  }

  /** Take a request. Only on a new or an idle connection. */
  start(request: UpstreamRequest, handler: ResponseHandler): UpstreamCall {
    const call = new Call(this, request, handler);
    this.#call = call;
    this.#stalledMs = 0;
    // Before the connection stands, the socket keeps what is written.
    if (this.#phase === "idle") this.#phase = "send";
    this.#sendHead(call);
    return call;
  }

  get idle(): boolean {
    return this.#phase === "idle" && !this.#socket.destroyed;
  }

  /** Time has passed: `ms` since the last call. Ends the connection when it has waited too long. */
  age(ms: number, limits: UpstreamLimits): void {
    this.#guard(() => this.#age(ms, limits));
  }

  #age(ms: number, limits: UpstreamLimits): void {
    // While its asker takes nothing, the cell has nothing to answer for.
    if (this.#call?.full === true) return;
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

  /** For calls; it does nothing for one that is not under way here. */
  writeBody(call: Call, piece: Buffer): boolean {
    if (call !== this.#call || this.#phase === "closed") return true;
    this.#stalledMs = 0;
    if (call.request.body !== "streamed-chunked") return this.#socket.write(piece);
    this.#socket.cork();
    this.#socket.write(`${piece.length.toString(16)}\r\n`, "latin1");
    this.#socket.write(piece);
    const open = this.#socket.write("\r\n", "latin1");
    this.#socket.uncork();
    return open;
  }

  endBody(call: Call): void {
    if (call !== this.#call || this.#phase === "closed") return;
    if (call.request.body === "streamed-chunked") this.#socket.write("0\r\n\r\n", "latin1");
    this.#onSent(call);
  }

  resume(call: Call): void {
    if (call !== this.#call || !call.full) return;
    call.full = false;
    this.#stalledMs = 0;
    this.#socket.resume();
  }

  abort(call: Call): void {
    if (call !== this.#call) return;
    this.#letGo();
    this.#socket.destroy();
  }

  /** Close an idle connection, or end one under way with a failure. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** From here on the call is nobody's: it is told nothing, and what is done on it reaches nobody. */
  #letGo(): Call | undefined {
    const call = this.#call;
    if (call === undefined) return undefined;
    this.#call = undefined;
    call.letGo();
    this.#owner.onLetGo(this);
    return call;
  }

  /** What our own code throws ends this connection and its request, and nothing else. */
  #guard(work: () => void): void {
    const call = this.#call;
    try {
      work();
    } catch (error) {
      this.#onFault(call, error);
    }
  }

  /** The same without a closure for each piece. */
  #guardedData(piece: Buffer): void {
    const call = this.#call;
    try {
      this.#onData(piece);
    } catch (error) {
      this.#onFault(call, error);
    }
  }

  #onFault(call: Call | undefined, error: unknown): void {
    this.#letGo();
    this.#socket.destroy();
    if (call === undefined) this.#owner.onFault(error);
    else call.handler.onFault(error);
  }

  #onConnect(): void {
    this.#stalledMs = 0;
    this.#phase = this.#call?.sent === true ? "first-byte" : "send";
  }

  #sendHead(call: Call): void {
    const { body, head, contentLength, method } = call.request;
    if (body === undefined) {
      this.#socket.write(`${head}${expectsBody(method) ? "content-length: 0\r\n\r\n" : "\r\n"}`, "latin1");
      this.#onSent(call);
    } else if (body === "streamed-chunked") {
      this.#socket.write(`${head}transfer-encoding: chunked\r\n\r\n`, "latin1");
    } else if (body === "streamed-length") {
      this.#socket.write(`${head}content-length: ${contentLength}\r\n\r\n`, "latin1");
    } else {
      this.#socket.cork();
      this.#socket.write(`${head}content-length: ${body.length}\r\n\r\n`, "latin1");
      this.#socket.write(body);
      this.#socket.uncork();
      this.#onSent(call);
    }
  }

  #onSent(call: Call): void {
    call.sent = true;
    this.#stalledMs = 0;
    if (this.#phase === "send") this.#phase = "first-byte";
  }

  #onDrain(): void {
    this.#stalledMs = 0;
    if (this.#call?.sent === false) this.#call.handler.onDrain();
  }

  #onData(piece: Buffer): void {
    this.#stalledMs = 0;
    const call = this.#call;
    if (call === undefined) {
      // Nobody has asked: bytes that would be taken for the answer to the next request.
      this.#socket.destroy();
      return;
    }
    const progress = call.answer.read(piece);
    // An asker that has let go while it was told has closed this connection.
    if (progress.state === "stopped") return;
    if (call.answer.head !== undefined) this.#phase = "body";
    if (progress.state === "malformed") this.#fail("protocol", progress.message);
    else if (progress.state === "done") this.#onComplete(call, false);
    else if (progress.state === "surplus") this.#onComplete(call, true);
    else if (progress.state === "full") {
      call.full = true;
      this.#socket.pause();
    }
  }

  /** @param closes The cell sent more than it announced, or ended its answer with the connection. */
  #onComplete(call: Call, closes: boolean): void {
    this.#letGo();
    this.#served += 1;
    const head = call.answer.head;
    if (closes || head?.reusable !== true || !call.sent) this.#socket.destroy();
    else {
      // A second less than the cell keeps it, so that the router is the one who closes.
      const announced = head.keepAliveSeconds;
      this.#keepAliveMs = announced === undefined ? 0 : Math.min(Math.max(announced - 1, 0.5), 600) * 1_000;
      this.#phase = "idle";
      this.#owner.onIdle(this);
    }
    tell(call, () => call.handler.onEnd());
  }

  #onEnd(): void {
    if (this.#phase === "idle") this.#phase = "closed";
    else if (this.#call?.answer.head?.framing === "close") this.#onComplete(this.#call, true);
  }

  #fail(kind: FailureKind, message: string): void {
    const call = this.#letGo();
    this.#socket.destroy();
    if (call !== undefined) tell(call, () => call.handler.onFailure({ kind, message, stale: false }));
  }

  #onClose(): void {
    const connecting = this.#phase === "connect";
    this.#phase = "closed";
    const call = this.#letGo();
    this.#owner.onGone(this);
    if (call === undefined) return;
    const message = this.#error?.message ?? "the cell closed the connection";
    const stale = call.answer.untouched && this.#served > 0;
    tell(call, () => call.handler.onFailure({ kind: connecting ? "connect" : "reset", message, stale }));
  }
}

/** The last word to an asker, after the connection has let go of it: what it throws concerns it alone. */
function tell(call: Call, word: () => void): void {
  try {
    word();
  } catch (error) {
    call.handler.onFault(error);
  }
}

function expectsBody(method: string): boolean {
  return method === "POST" || method === "PUT" || method === "PATCH";
}
