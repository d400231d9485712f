import type { TokenIssuer } from "@proveniq/contracts";
import { SignJWT } from "jose";
import type { IssuerKey } from "./key.ts";

/** Claims of a token as they are signed; `iss`, `aud`, `iat`, `auth_time` and `exp` are filled in unless given. */
export type TokenClaims = { sub: string } & Record<string, unknown>;

export interface MintOptions {
  /** Seconds until it expires; an hour unless told otherwise. */
  lifetime?: number;
  /** Milliseconds; for tests. */
  now?: number;
  /** Fields of the token's header instead of ours, such as another `kid`. */
  header?: Record<string, string>;
}

const hour = 3600;

/** Sign an ID token in the way of Firebase Authentication (RS256), for whom `trust` says. */
export async function mintToken(
  key: IssuerKey,
  trust: Pick<TokenIssuer, "issuer" | "audience">,
  claims: TokenClaims,
  options: MintOptions = {},
): Promise<string> {
  const now = Math.floor((options.now ?? Date.now()) / 1000);
  return new SignJWT({
    iss: trust.issuer,
    aud: trust.audience,
    iat: now,
    auth_time: now,
    exp: now + (options.lifetime ?? hour),
    ...claims,
  })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: key.kid, ...options.header })
    .sign(key.privateKey);
}
