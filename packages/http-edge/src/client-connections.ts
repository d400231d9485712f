import type { Socket } from "node:net";
import { ClientConnection, type ConnectionKeeper } from "./client-connection.ts";
import type { EdgeExchange } from "./exchange.ts";

export interface ConnectionLimits {
  /** Client connections open at once. A new one takes the place of an idle one. */
  maxClients: number;
  /** Requests that wait behind others of their connection, all clients together. */
  maxWaiting: number;
}

/** What is told when there are more clients than room: at most every ten seconds. */
export interface Shortage {
  open: number;
  limit: number;
  /** Idle connections that were closed for new ones, and new ones that found no idle one, since the last time. */
  closed: number;
  turnedAway: number;
}

const tellEveryMs = 10_000;

/**
 * All client connections. When there are as many as there may be, a new one takes the place of the one that has been idle for
 * longest, first of those that have never sent a request: silent clients cannot shut the server to others.
 */
export class ClientConnections<E extends EdgeExchange> implements ConnectionKeeper<E> {
  readonly #limits: ConnectionLimits;
  readonly #onShortage: (shortage: Shortage) => void;
  readonly #bySocket = new Map<unknown, ClientConnection<E>>();
  /** Longest first, as sets keep their order. */
  readonly #silent = new Set<ClientConnection<E>>();
  readonly #idle = new Set<ClientConnection<E>>();
  readonly #busy = new Set<ClientConnection<E>>();
  #waiting = 0;
  #closed = 0;
  #turnedAway = 0;
  #toldAt = -tellEveryMs;

  constructor(limits: ConnectionLimits, onShortage: (shortage: Shortage) => void) {
    this.#limits = limits;
    this.#onShortage = onShortage;
  }

  get open(): number {
    return this.#bySocket.size;
  }

  get unanswered(): number {
    let sum = 0;
    for (const connection of this.#busy) sum += connection.unanswered;
    return sum;
  }

  /** A socket has been accepted. Undefined: there is no room, and it has been closed. */
  add(socket: Socket): void {
    if (this.#bySocket.size >= this.#limits.maxClients && !this.#makeRoom()) {
      this.#turnedAway += 1;
      this.#tell();
      socket.destroy();
      return;
    }
    const connection = new ClientConnection<E>(socket, this);
    this.#bySocket.set(socket, connection);
    this.#silent.add(connection);
    socket.once("close", () => {
      this.#bySocket.delete(socket);
      this.#silent.delete(connection);
      this.#idle.delete(connection);
      this.#busy.delete(connection);
      connection.closed();
    });
  }

  of(socket: unknown): ClientConnection<E> | undefined {
    return this.#bySocket.get(socket);
  }

  /** Those with a request under way. */
  busy(): Iterable<ClientConnection<E>> {
    return this.#busy;
  }

  onBusy(connection: ClientConnection<E>): void {
    if (!this.#idle.delete(connection)) this.#silent.delete(connection);
    this.#busy.add(connection);
  }

  onIdle(connection: ClientConnection<E>): void {
    this.#busy.delete(connection);
    if (this.#bySocket.has(connection.socket)) this.#idle.add(connection);
  }

  onWaiting(change: number): boolean {
    this.#waiting += change;
    return this.#waiting <= this.#limits.maxWaiting;
  }

  #makeRoom(): boolean {
    for (const connections of [this.#silent, this.#idle]) {
      for (const connection of connections) {
        connections.delete(connection);
        this.#bySocket.delete(connection.socket);
        connection.socket.destroy();
        this.#closed += 1;
        this.#tell();
        return true;
      }
    }
    return false;
  }

  #tell(): void {
    const now = performance.now();
    if (now - this.#toldAt < tellEveryMs) return;
    this.#toldAt = now;
    const { maxClients: limit } = this.#limits;
    this.#onShortage({ open: this.open, limit, closed: this.#closed, turnedAway: this.#turnedAway });
    this.#closed = 0;
    this.#turnedAway = 0;
  }
}
