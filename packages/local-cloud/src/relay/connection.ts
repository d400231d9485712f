import { connect, type Socket } from "node:net";
import { type FrameHeader, FrameReader, frameTypes } from "./frames.ts";
import { Pump } from "./pump.ts";

/** What all connections of a relay share. */
export interface RelayState {
  target: { host: string; port: number };
  delayMs: number;
  stalled: boolean;
  counters: RelayCounters;
  /** Replies still to be dropped, and of which calls. */
  drop: { left: number; matches: (request: Buffer) => boolean };
}

export interface RelayCounters {
  /** Connections accepted since the start, and open now. */
  connections: number;
  open: number;
  /** gRPC calls (HTTP/2 streams) seen; calls over HTTP/1 are not counted here, only their bytes. */
  calls: number;
  bytesToServer: number;
  bytesToClient: number;
  /** Replies swallowed by `dropReplies`. */
  dropped: number;
}

/** One client's connection and its twin to the server. */
export class RelayConnection {
  readonly #state: RelayState;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pumps: [Pump, Pump];
  readonly #requests: FrameReader;
  readonly #replies: FrameReader;
  readonly #bodies = new Map<number, Buffer[]>();
  /** Calls whose reply must not arrive. */
  readonly #doomed = new Set<number>();
  /** Where in the present chunk of the server the first byte of a doomed reply is. */
  #cutAt = -1;
  #swallowing = false;

  constructor(state: RelayState, client: Socket, onClose: () => void) {
    this.#state = state;
    this.#client = client;
    this.#server = connect({ ...state.target, noDelay: true });
    this.#pumps = [
      new Pump(client, this.#server, () => state.delayMs),
      new Pump(this.#server, client, () => state.delayMs),
    ];
    this.#requests = new FrameReader(true, {
      begin: (frame) => this.#requestBegins(frame),
      payload: (frame, part) => this.#bodies.get(frame.stream)?.push(part),
      end: (frame) => this.#requestFrameEnds(frame),
    });
    this.#replies = new FrameReader(false, {
      begin: (frame, at) => {
        if (this.#doomed.has(frame.stream) && this.#cutAt < 0) this.#cutAt = at;
      },
      end: (frame) => this.#replyFrameEnds(frame),
    });
    client.on("data", (chunk) => this.#fromClient(chunk));
    this.#server.on("data", (chunk) => this.#fromServer(chunk));
    for (const socket of [client, this.#server]) {
      socket.on("error", () => this.reset());
      socket.on("close", () => {
        this.reset();
        onClose();
      });
    }
    this.stall(state.stalled);
  }

  stall(on: boolean): void {
    for (const pump of this.#pumps) pump.stall(on);
  }

  /** Both ends see a TCP reset. */
  reset(): void {
    for (const socket of [this.#client, this.#server]) {
      if (socket.destroyed) continue;
      // A socket that is shutting down cannot be reset any more: libuv would keep its handle for ever.
      if (socket.writableEnded || socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  #fromClient(chunk: Buffer): void {
    this.#state.counters.bytesToServer += chunk.length;
    this.#requests.push(chunk);
    this.#pumps[0].send(chunk);
  }

  #fromServer(chunk: Buffer): void {
    this.#cutAt = -1;
    const swallowed = this.#swallowing;
    if (!this.#requests.otherProtocol) this.#replies.push(chunk);
    const passed = swallowed ? 0 : this.#cutAt < 0 ? chunk.length : this.#cutAt;
    if (this.#cutAt >= 0) this.#swallowing = true;
    this.#state.counters.bytesToClient += passed;
    this.#pumps[1].send(chunk.subarray(0, passed));
  }

  #requestBegins(frame: FrameHeader): void {
    if (frame.type === frameTypes.headers) {
      this.#state.counters.calls += 1;
      if (this.#state.drop.left > 0) this.#bodies.set(frame.stream, []);
    } else if (frame.type === frameTypes.reset) {
      this.#bodies.delete(frame.stream);
    }
  }

  #requestFrameEnds(frame: FrameHeader): void {
    const body = frame.endStream ? this.#bodies.get(frame.stream) : undefined;
    if (body === undefined) return;
    this.#bodies.delete(frame.stream);
    const { drop } = this.#state;
    if (drop.left > 0 && drop.matches(Buffer.concat(body))) {
      drop.left -= 1;
      this.#doomed.add(frame.stream);
    }
  }

  #replyFrameEnds(frame: FrameHeader): void {
    if (!this.#doomed.has(frame.stream)) return;
    if (!frame.endStream && frame.type !== frameTypes.reset) return;
    // The server has said its last word on this call: what it did is done.
    this.#state.counters.dropped += 1;
    this.reset();
  }
}
