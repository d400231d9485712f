import { Connection, type ConnectionOwner } from "./connection.ts";
import { type Endpoint, endpointOf } from "./endpoint.ts";
import type { ResponseHandler, UpstreamCall, UpstreamLimits, UpstreamRequest } from "./types.ts";

export const defaultLimits: UpstreamLimits = {
  connectMs: 2_000,
  firstByteMs: 60_000,
  idleMs: 30_000,
  keepAliveMs: 4_000,
  maxConnections: 1_024,
};

/** Connections to all cells, each origin with its own bound, and one timer that ages them all. */
export class UpstreamPools {
  readonly #limits: UpstreamLimits;
  readonly #pools = new Map<string, OriginPool>();
  readonly #timer: NodeJS.Timeout;
  #agedAt = performance.now();

  constructor(limits: Partial<UpstreamLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
    const { connectMs, firstByteMs, idleMs } = this.#limits;
    const tick = Math.max(10, Math.min(1_000, connectMs / 8, firstByteMs / 8, idleMs / 8));
    this.#timer = setInterval(() => this.#age(), tick);
    this.#timer.unref();
  }

  /** Send a request to an origin such as `https://eu-api.cells.proveniq.io`. What happens is told to `handler`. */
  send(origin: string, request: UpstreamRequest, handler: ResponseHandler): UpstreamCall {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      pool = new OriginPool(origin, this.#limits);
      this.#pools.set(origin, pool);
    }
    return pool.send(request, handler);
  }

  /** Open connections by origin, for metrics. */
  counts(): Map<string, { open: number; idle: number }> {
    return new Map([...this.#pools].map(([origin, pool]) => [origin, pool.count()]));
  }

  /** Close every connection; what is under way fails. */
  close(): void {
    clearInterval(this.#timer);
    for (const pool of this.#pools.values()) pool.close();
  }

  #age(): void {
    const now = performance.now();
    const passed = now - this.#agedAt;
    this.#agedAt = now;
    for (const pool of this.#pools.values()) pool.age(passed);
  }
}

class OriginPool implements ConnectionOwner {
  readonly #limits: UpstreamLimits;
  readonly #endpoint: Endpoint;
  readonly #all = new Set<Connection>();
  /** The latest used is taken first: it is the least likely to have been closed. */
  readonly #idle: Connection[] = [];

  constructor(origin: string, limits: UpstreamLimits) {
    this.#limits = limits;
    this.#endpoint = endpointOf(origin);
  }

  send(request: UpstreamRequest, handler: ResponseHandler): UpstreamCall {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.idle) return idle.start(request, handler);
    }
    if (this.#all.size >= this.#limits.maxConnections) {
      queueMicrotask(() =>
        handler.onFailure({
          kind: "overload",
          message: "too many requests to this cell are under way",
          stale: false,
        }),
      );
      return refusedCall;
    }
    const connection = new Connection(this.#endpoint, this);
    this.#all.add(connection);
    return connection.start(request, handler);
  }

  age(ms: number): void {
    for (const connection of this.#all) connection.age(ms, this.#limits);
  }

  count(): { open: number; idle: number } {
    return { open: this.#all.size, idle: this.#idle.filter((c) => c.idle).length };
  }

  close(): void {
    for (const connection of this.#all) connection.destroy();
  }

  onIdle(connection: Connection): void {
    this.#idle.push(connection);
  }

  onGone(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }
}

const refusedCall: UpstreamCall = {
  writeBody: () => true,
  endBody: () => undefined,
  resume: () => undefined,
  abort: () => undefined,
};
