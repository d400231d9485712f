/** Requests per second, and how many may come at once after a rest. */
export interface Quota {
  requestsPerSecond: number;
  burst: number;
}

export interface QuotaDecision {
  allowed: boolean;
  quota: Quota;
  /** Requests that would be let in now. */
  remaining: number;
  /** Whole seconds until the full burst is there again. */
  resetSeconds: number;
  /** Whole seconds until the next request is let in; 0 when this one was. */
  retryAfterSeconds: number;
}

/** Seconds of its rate that somebody may use at once. */
const burstSeconds = 10;

/**
 * This instance's part of a quota that holds for the whole cell: limits kept in instances add up. The burst is at least 1.
 *
 * @param share More than 0, at most 1.
 */
export function shareOf(requestsPerSecond: number, share: number): Quota {
  const part = requestsPerSecond * share;
  return { requestsPerSecond: part, burst: Math.max(1, Math.ceil(part * burstSeconds)) };
}

/**
 * GCRA (a leaky bucket that stores one time per key). At most `maxKeys` keys are remembered: the one least
 * recently used is forgotten, which lets its owner start with a full burst.
 */
export class QuotaLimiter {
  /** Per key: the time at which all it has used will be paid back (ms). */
  readonly #paidBackAt = new Map<string, number>();
  readonly #maxKeys: number;
  readonly #now: () => number;

  constructor(options: { maxKeys?: number; now?: () => number } = {}) {
    this.#maxKeys = options.maxKeys ?? 20_000;
    this.#now = options.now ?? Date.now;
  }

  /** Use one request of `key`'s quota, when there is one. A refused request uses nothing. */
  take(key: string, quota: Quota): QuotaDecision {
    const now = this.#now();
    const cost = 1000 / quota.requestsPerSecond;
    const before = Math.max(now, this.#paidBackAt.get(key) ?? now);
    const after = before + cost;
    const room = now + quota.burst * cost - after;
    const allowed = room >= -1e-6;
    const debt = allowed ? after : before;
    this.#remember(key, debt);
    return {
      allowed,
      quota,
      remaining: allowed ? Math.floor(room / cost + 1e-6) : 0,
      resetSeconds: Math.ceil((debt - now) / 1000),
      retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil(-room / 1000)),
    };
  }

  get size(): number {
    return this.#paidBackAt.size;
  }

  #remember(key: string, debt: number): void {
    this.#paidBackAt.delete(key);
    this.#paidBackAt.set(key, debt);
    if (this.#paidBackAt.size <= this.#maxKeys) return;
    const [oldest] = this.#paidBackAt.keys();
    if (oldest !== undefined) this.#paidBackAt.delete(oldest);
  }
}

/**
 * `RateLimit-Policy` and `RateLimit` (IETF httpapi draft, structured fields), and `Retry-After` for a refusal.
 * `name` is the policy's: `tenant` or `person`.
 */
export function quotaHeaders(name: "tenant" | "person", decision: QuotaDecision): Record<string, string> {
  const { burst, requestsPerSecond } = decision.quota;
  const window = Math.max(1, Math.round(burst / requestsPerSecond));
  return {
    "ratelimit-policy": `"${name}";q=${burst};w=${window}`,
    ratelimit: `"${name}";r=${decision.remaining};t=${decision.resetSeconds}`,
    ...(decision.allowed ? {} : { "retry-after": String(decision.retryAfterSeconds) }),
  };
}
