import { setBounded } from "@proveniq/contracts";
import type { Sha256 } from "./api-key.ts";
import type { TokenVerifier, VerifiedToken } from "./id-token.ts";

export interface TokenCacheOptions {
  sha256: Sha256;
  now?: () => number;
  maxEntries?: number;
}

/** A withdrawn signing key is felt this much later, in milliseconds. */
const believed = 60_000;

/**
 * Verify a token's signature once a minute rather than with each request: people send the same one for an hour, and
 * a signature costs more than all the rest. Tokens are remembered by their digest, never by themselves; only good ones are,
 * and none beyond its end.
 */
export function cachedVerifier(verify: TokenVerifier, options: TokenCacheOptions): TokenVerifier {
  const { sha256, now = Date.now, maxEntries = 10_000 } = options;
  const known = new Map<string, { until: number; token: VerifiedToken }>();
  return async (token) => {
    const digest = await sha256(token);
    const entry = known.get(digest);
    if (entry !== undefined && now() < entry.until) return entry.token;
    known.delete(digest);
    const verified = await verify(token);
    const until = Math.min(now() + believed, verified.expiresAtMs);
    setBounded(known, digest, { until, token: verified }, maxEntries);
    return verified;
  };
}
