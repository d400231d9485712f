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

/** An address with more than this part of all places gives way first when there is none left. Few can be so. */
const largePart = 1 / 4;

/**
 * All client connections. When there are as many as there may be, a new one takes the place of another: first of those that have
 * never sent a request, then of the one that has been idle for longest, and both first among the addresses that hold many; these
 * take no place of the others. Of one that holds many, and more than twice as many as the newcomer's, the one whose request has
 * been under way for longest goes too: so neither silent clients nor busy ones of one address shut the server to others. Behind a load balancer all have one address, and none
 * is treated unlike another.
 */
export class ClientConnections<E extends EdgeExchange> implements ConnectionKeeper<E> {
  readonly #limits: ConnectionLimits;
  readonly #onShortage: (shortage: Shortage) => void;
  readonly #bySocket = new Map<unknown, ClientConnection<E>>();
  /** Longest first, as sets keep their order. */
  readonly #silent = new Set<ClientConnection<E>>();
  readonly #idle = new Set<ClientConnection<E>>();
  readonly #busy = new Set<ClientConnection<E>>();
  readonly #byAddress = new Map<string, number>();
  /** Addresses that hold a large part. */
  readonly #large = new Set<string>();
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
    const address = socket.remoteAddress ?? "";
    if (this.#bySocket.size >= this.#limits.maxClients && !this.#makeRoom(address)) {
      this.#turnedAway += 1;
      this.#tell();
      socket.destroy();
      return;
    }
    const connection = new ClientConnection<E>(socket, address, this);
    this.#bySocket.set(socket, connection);
    this.#countAddress(address, 1);
    this.#silent.add(connection);
    socket.once("close", () => {
      this.#forget(connection);
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

  #makeRoom(newcomer: string): boolean {
    const found = this.#idleOne(newcomer) ?? this.#busyOne(newcomer);
    if (found === undefined) return false;
    this.#silent.delete(found);
    this.#idle.delete(found);
    this.#forget(found);
    found.socket.destroy();
    this.#closed += 1;
    this.#tell();
    return true;
  }

  /** The first to go of those without a request. Who holds many places takes none of those who do not. */
  #idleOne(newcomer: string): ClientConnection<E> | undefined {
    const sets = [this.#silent, this.#idle];
    for (const connections of this.#large.size === 0 ? [] : sets)
      for (const connection of connections) if (this.#large.has(connection.address)) return connection;
    if (this.#large.has(newcomer)) return undefined;
    for (const connections of sets) for (const connection of connections) return connection;
    return undefined;
  }

  /** The longest under way, of an address that holds many times what the newcomer's does. */
  #busyOne(newcomer: string): ClientConnection<E> | undefined {
    const own = this.#byAddress.get(newcomer) ?? 0;
    for (const connection of this.#busy) {
      const { address, socket } = connection;
      if (!socket.destroyed && this.#large.has(address) && (this.#byAddress.get(address) ?? 0) > 2 * own + 1)
        return connection;
    }
    return undefined;
  }

  /** It takes no place any more. */
  #forget({ socket, address }: ClientConnection<E>): void {
    if (this.#bySocket.delete(socket)) this.#countAddress(address, -1);
  }

  #countAddress(address: string, change: number): void {
    const count = (this.#byAddress.get(address) ?? 0) + change;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
    if (count > this.#limits.maxClients * largePart) this.#large.add(address);
    else this.#large.delete(address);
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
