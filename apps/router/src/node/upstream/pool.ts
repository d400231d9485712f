import { Connection, type ConnectionOwner } from "./connection.ts";
import { type Endpoint, endpointOf } from "./endpoint.ts";
import { Shares } from "./shares.ts";
import type { FailureKind, ResponseHandler, UpstreamCall, UpstreamLimits, UpstreamRequest } from "./types.ts";

export const defaultLimits: UpstreamLimits = {
  connectMs: 2_000,
  firstByteMs: 60_000,
  idleMs: 30_000,
  keepAliveMs: 4_000,
  maxConnections: 2_048,
  tenantFloor: 8,
  maxTotal: 8_192,
};

/** Hears of what our own code throws outside of any request. */
export type OnFault = (error: unknown) => void;

/** Connections to all cells, each origin with its own bound, and one timer that ages them all. */
export class UpstreamPools {
  readonly #limits: UpstreamLimits;
  readonly #onFault: OnFault;
  readonly #pools = new Map<string, OriginPool>();
  readonly #timer: NodeJS.Timeout;
  #agedAt = performance.now();

  constructor(limits: Partial<UpstreamLimits> = {}, onFault: OnFault = () => undefined) {
    this.#limits = { ...defaultLimits, ...limits };
    this.#onFault = onFault;
    const { connectMs, firstByteMs, idleMs } = this.#limits;
    const tick = Math.max(10, Math.min(1_000, connectMs / 8, firstByteMs / 8, idleMs / 8));
    this.#timer = setInterval(() => this.#age(), tick);
    this.#timer.unref();
  }

  /** Send a request to an origin such as `https://eu-api.cells.proveniq.io`. What happens is told to `handler`. */
  send(origin: string, request: UpstreamRequest, handler: ResponseHandler): UpstreamCall {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      pool = new OriginPool(origin, this.#limits, this.#onFault);
      this.#pools.set(origin, pool);
    }
    const call = pool.take(request, handler, () => this.#room());
    return typeof call === "string" ? refused(call, handler) : call;
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

  /** Room for one more connection, if need be in the place of one that is idle elsewhere. */
  #room(): boolean {
    let open = 0;
    for (const pool of this.#pools.values()) open += pool.open;
    if (open < this.#limits.maxTotal) return true;
    for (const pool of this.#pools.values()) if (pool.dropIdle()) return true;
    return false;
  }

  #age(): void {
    const now = performance.now();
    const passed = now - this.#agedAt;
    this.#agedAt = now;
    for (const pool of this.#pools.values()) pool.age(passed);
  }
}

class OriginPool implements ConnectionOwner {
  readonly onFault: OnFault;
  readonly #limits: UpstreamLimits;
  readonly #endpoint: Endpoint;
  readonly #shares: Shares;
  readonly #all = new Set<Connection>();
  /** The latest used is taken first: it is the least likely to have been closed. */
  readonly #idle: Connection[] = [];

  constructor(origin: string, limits: UpstreamLimits, onFault: OnFault) {
    this.#limits = limits;
    this.onFault = onFault;
    this.#endpoint = endpointOf(origin);
    this.#shares = new Shares(limits.maxConnections, limits.tenantFloor);
  }

  /** Begin a request, or say why not. */
  take(request: UpstreamRequest, handler: ResponseHandler, room: () => boolean): UpstreamCall | FailureKind {
    if (!this.#shares.take(request.tenant)) return "share";
    const connection = this.#connection(room);
    if (connection === undefined) {
      this.#shares.give(request.tenant);
      return "overload";
    }
    connection.holder = request.tenant;
    return connection.start(request, handler);
  }

  #connection(room: () => boolean): Connection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) if (idle.idle) return idle;
    if (this.#all.size >= this.#limits.maxConnections || !room()) return undefined;
    const connection = new Connection(this.#endpoint, this);
    this.#all.add(connection);
    return connection;
  }

  age(ms: number): void {
    for (const connection of this.#all) connection.age(ms, this.#limits);
  }

  get open(): number {
    return this.#all.size;
  }

  count(): { open: number; idle: number } {
    return { open: this.#all.size, idle: this.#idle.filter((c) => c.idle).length };
  }

  /** Close the connection that has been idle for longest; false when none is. */
  dropIdle(): boolean {
    const longest = this.#idle.shift();
    longest?.destroy();
    return longest !== undefined;
  }

  close(): void {
    for (const connection of this.#all) connection.destroy();
  }

  onLetGo(connection: Connection): void {
    if (connection.holder !== undefined) this.#shares.give(connection.holder);
    connection.holder = undefined;
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

const reasons: Partial<Record<FailureKind, string>> = {
  overload: "too many requests to this cell are under way",
  share: "the tenant holds its share of the connections to this cell",
};

function refused(kind: FailureKind, handler: ResponseHandler): UpstreamCall {
  let over = false;
  queueMicrotask(() => {
    if (over) return;
    over = true;
    try {
      handler.onFailure({ kind, message: reasons[kind] ?? kind, stale: false });
    } catch (error) {
      handler.onFault(error);
    }
  });
  return {
    writeBody: () => true,
    endBody: () => undefined,
    resume: () => undefined,
    abort: () => {
      over = true;
    },
  };
}
