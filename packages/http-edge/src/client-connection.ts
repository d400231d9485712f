import type { Socket } from "node:net";
import type { EdgeExchange } from "./exchange.ts";
import type { ClientError } from "./parser-errors.ts";
import { defaultLinger } from "./sockets.ts";

/** So many requests may wait on one connection; one more ends it. Twice what is to be found among clients that pipeline in earnest. */
const maxWaitingEach = 2_048;

/** Who keeps account of all client connections. */
export interface ConnectionKeeper<E extends EdgeExchange> {
  onBusy(connection: ClientConnection<E>): void;
  onIdle(connection: ClientConnection<E>): void;
  /** So many more requests wait behind others (or fewer). False: too many do, everywhere together. */
  onWaiting(change: number): boolean;
}

/**
 * A client's connection. Its requests are dealt with one after the other, however many it sends at once: no client has two
 * under way on one connection, and an answer never has to wait for an earlier one.
 */
export class ClientConnection<E extends EdgeExchange> {
  readonly socket: Socket;
  /** Of the client, or of what stands in front of it. */
  readonly address: string;
  readonly #keeper: ConnectionKeeper<E>;
  readonly #waiting: E[] = [];
  #current: E | undefined;
  /** Answered before all of it had arrived: what comes next is its body. */
  #answeredEarly: E | undefined;
  #refuse: (() => void) | undefined;
  #broken = false;
  #left = false;

  constructor(socket: Socket, address: string, keeper: ConnectionKeeper<E>) {
    this.socket = socket;
    this.address = address;
    this.#keeper = keeper;
  }

  /** Requests that have not been answered. */
  get unanswered(): number {
    return this.#waiting.length + (this.#current === undefined ? 0 : 1);
  }

  /** A request has arrived. */
  take(exchange: E): void {
    if (this.#left) return exchange.end();
    if (this.#current === undefined) {
      this.#current = exchange;
      this.#keeper.onBusy(this);
      exchange.begin();
      return;
    }
    this.#waiting.push(exchange);
    if (!this.#keeper.onWaiting(1) || this.#waiting.length > maxWaitingEach) this.socket.destroy();
  }

  /** The answer to a request has been written. */
  over(exchange: E): void {
    exchange.end();
    if (exchange !== this.#current) return;
    this.#current = undefined;
    this.#answeredEarly = exchange.received ? undefined : exchange;
    const next = this.#waiting.shift();
    if (next === undefined) return this.#rest();
    this.#keeper.onWaiting(-1);
    this.#current = next;
    // Others have their turn between two requests of one client.
    setImmediate(() => next.begin());
  }

  /** The last answer was given: what else was sent on it is answered by nobody. */
  leave(): void {
    this.#left = true;
    this.#keeper.onWaiting(-this.#waiting.length);
    for (const exchange of this.#waiting.splice(0)) exchange.end();
  }

  /** The connection has closed: nobody waits for any answer. */
  closed(): void {
    const unanswered = [...(this.#current === undefined ? [] : [this.#current]), ...this.#waiting];
    this.#keeper.onWaiting(-this.#waiting.length);
    this.#current = undefined;
    this.#waiting.length = 0;
    for (const exchange of unanswered) exchange.end();
  }

  /**
   * What came last is no HTTP, or the client has gone. What came before it in full is answered first; then `refuse` is called, if
   * the fault lies in no request that we know of.
   */
  breakOff(error: ClientError, refuse: () => void): void {
    if (this.#broken) return;
    const last = this.#waiting.at(-1) ?? this.#current;
    if (last === undefined && this.#answeredEarly?.received === false) return this.#breakOffRest(error);
    this.#broken = true;
    if (last === undefined) return refuse();
    if (!last.received) last.breakOff(error);
    else this.#refuse = refuse;
    if (error.kind === "gone") this.socket.destroy();
    else this.#ignoreRest();
  }

  /** The exchange under way, if any. */
  current(): E | undefined {
    return this.#current;
  }

  /** Words would be taken for a second answer. How long the rest of a body may take is up to who reads it away. */
  #breakOffRest(error: ClientError): void {
    if (error.kind === "problem" && error.problem === "request-timeout") return;
    this.#broken = true;
    this.socket.destroy();
  }

  #rest(): void {
    if (this.#refuse !== undefined) this.#refuse();
    else this.#keeper.onIdle(this);
  }

  /** Nothing that still comes is read as HTTP; that the client goes is noticed all the same. */
  #ignoreRest(): void {
    let left = defaultLinger.bytes;
    this.socket.removeAllListeners("data");
    this.socket.on("data", (piece: Buffer) => {
      left -= piece.length;
      if (left < 0) this.socket.destroy();
    });
    this.socket.once("end", () => this.socket.destroy());
  }
}
