import { ownerId, ProblemError, type TokenIssuer } from "@proveniq/contracts";
import type { JWTPayload } from "jose";
import { unauthenticated } from "./authenticator.ts";
import { KeySet, type KeySetOptions } from "./key-set.ts";

/** What a verified ID token says. Whether it may enter a tenant is decided from this and the tenant's settings. */
export interface VerifiedToken {
  issuer: string;
  subject: string;
  /** Our own `tenant` claim; undefined for consumers. */
  tenant: string | undefined;
  /** Identity Platform's tenant (`firebase.tenant`), an id of theirs, not of ours. */
  identityTenant: string | null;
  staff: boolean;
  expiresAtMs: number;
}

export type TokenVerifier = (token: string) => Promise<VerifiedToken>;

export interface TokenVerifierOptions extends Omit<KeySetOptions, "url"> {
  issuers: readonly TokenIssuer[];
}

/** Clocks of issuer and cell may differ by this many seconds. */
const clockTolerance = 5;
/** Firebase tokens live an hour; none that is older than this many seconds is believed, whatever its `exp`. */
const maxTokenAge = 24 * 3600;

/**
 * Verify ID tokens of the configured issuers and of no other: issuer and audience exact, the issuer's one
 * algorithm, its published keys. Everything else (`none`, a symmetric algorithm, an unknown key id, `exp`, `nbf` or `iat` out
 * of time) is the same `unauthenticated`.
 */
export function tokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { issuers, ...keySetOptions } = options;
  const now = options.now ?? Date.now;
  const trusted = new Map(
    issuers.map((issuer) => [
      issuer.issuer,
      { issuer, keys: new KeySet({ ...keySetOptions, url: issuer.jwks }) },
    ]),
  );
  return async (token) => {
    const { decodeJwt, jwtVerify } = await import("jose");
    try {
      const entry = trusted.get(decodeJwt(token).iss ?? "");
      if (entry === undefined) throw unauthenticated();
      const { issuer, keys } = entry;
      const { payload } = await jwtVerify(token, (...lookUp) => keys.find(...lookUp), {
        issuer: issuer.issuer,
        audience: issuer.audience,
        algorithms: [issuer.algorithm],
        clockTolerance,
        maxTokenAge,
        requiredClaims: ["sub", "iat", "exp"],
        currentDate: new Date(now()),
      });
      return readClaims(payload, issuer);
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      throw unauthenticated();
    }
  };
}

/** True when the text could be a signed token: three parts. API keys have no dots. */
export function looksLikeToken(credential: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(credential);
}

/** The end of the year 9999, in seconds since 1970. */
const latest = 253_402_300_799;

/** A claim that is there but of the wrong kind refuses the token: guessing what was meant would be a way in. */
function readClaims(payload: JWTPayload, { issuer, audience }: TokenIssuer): VerifiedToken {
  const { sub, exp, aud, tenant, role } = payload;
  const subject = ownerId.safeParse(sub);
  // A number of seconds that no calendar has is no time: nothing could say when such a token ends.
  if (!subject.success || exp === undefined || !(exp <= latest) || aud !== audience) throw unauthenticated();
  if (tenant !== undefined && typeof tenant !== "string") throw unauthenticated();
  return {
    issuer,
    subject: subject.data,
    tenant,
    identityTenant: identityTenantOf(payload["firebase"]),
    staff: role === "staff" && tenant !== undefined,
    expiresAtMs: exp * 1000,
  };
}

function identityTenantOf(firebase: unknown): string | null {
  if (firebase === undefined || firebase === null) return null;
  if (typeof firebase !== "object") throw unauthenticated();
  const tenant: unknown = Object.hasOwn(firebase, "tenant") ? Reflect.get(firebase, "tenant") : undefined;
  if (tenant === undefined || tenant === null) return null;
  if (typeof tenant !== "string") throw unauthenticated();
  return tenant;
}
