import { ProblemError } from "@proveniq/contracts";
import type { CryptoKey, createLocalJWKSet, JSONWebKeySet } from "jose";

type LocalKeys = ReturnType<typeof createLocalJWKSet>;
type LookUp = Parameters<LocalKeys>;

export interface KeySetOptions {
  url: string;
  fetch?: typeof fetch;
  /** Milliseconds; for tests. */
  now?: () => number;
}

const fresh = 10 * 60_000;
/** Keys older than this are not believed, even while their source is down. */
const usable = 24 * 3600_000;
/** An unknown key id makes us ask again at most this often: anybody can invent one. */
const cooldown = 30_000;
const retryAfterFailure = 1_000;
const timeout = 3_000;
const maxBytes = 256 * 1024;

/**
 * An issuer's public keys: fetched on first use, kept for 10 minutes, then renewed beside the requests. While
 * their source is down the last known ones stay good for a day, so that signing in elsewhere failing does not
 * stop those who are signed in.
 */
export class KeySet {
  readonly #url: string;
  readonly #fetch: typeof fetch;
  readonly #now: () => number;
  #keys: LocalKeys | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;

  constructor(options: KeySetOptions) {
    this.#url = options.url;
    this.#fetch = options.fetch ?? fetch;
    this.#now = options.now ?? Date.now;
  }

  /** The key that a token's header names. Throws jose's JWKSNoMatchingKey, or `identity-unavailable` when there are none. */
  async find(...lookUp: LookUp): Promise<CryptoKey> {
    const age = this.#now() - this.#fetchedAt;
    if (age > usable) await this.#refresh(retryAfterFailure);
    else if (age > fresh) void this.#refresh(cooldown).catch(() => {});
    try {
      return await this.#known()(...lookUp);
    } catch (error) {
      if (!isUnknownKey(error) || this.#now() - this.#triedAt < cooldown) throw error;
      await this.#refresh(cooldown).catch(() => {});
      return await this.#known()(...lookUp);
    }
  }

  #known(): LocalKeys {
    if (this.#keys === undefined || this.#now() - this.#fetchedAt > usable) throw unavailable();
    return this.#keys;
  }

  /** One fetch for all who wait; none when the last one was less than `pause` ago. */
  #refresh(pause: number): Promise<void> {
    if (this.#pending !== undefined) return this.#pending;
    if (this.#now() - this.#triedAt < pause) return Promise.resolve();
    this.#triedAt = this.#now();
    this.#pending = this.#load().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #load(): Promise<void> {
    try {
      const response = await this.#fetch(this.#url, {
        headers: { accept: "application/json" },
        redirect: "error",
        signal: AbortSignal.timeout(timeout),
      });
      if (!response.ok) throw new Error(`the key set answered ${response.status}`);
      const text = await response.text();
      if (text.length > maxBytes) throw new Error("the key set is too large");
      const { createLocalJWKSet } = await import("jose");
      this.#keys = createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
      this.#fetchedAt = this.#now();
    } catch (cause) {
      throw unavailable(cause);
    }
  }
}

function isUnknownKey(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_JWKS_NO_MATCHING_KEY";
}

function unavailable(cause?: unknown): ProblemError {
  return new ProblemError("identity-unavailable", "Try again in a moment.", {
    headers: { "retry-after": "2" },
    cause,
  });
}
