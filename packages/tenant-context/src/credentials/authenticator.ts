import {
  type ApiKeyRecord,
  type PrincipalKind,
  ProblemError,
  type Scope,
  type TenantSettings,
} from "@proveniq/contracts";

/** Who calls, as the cell verified it. */
export interface Principal {
  kind: PrincipalKind;
  id: string;
  /** Set for people: what is theirs is all they reach. Without it the principal acts for the whole tenant. */
  ownerId?: string;
  /** What it may do; the route decides what it needs. */
  scopes: readonly Scope[];
  /** When the credential ends, in milliseconds since 1970; null: not by itself. */
  expiresAtMs: number | null;
}

/** What a tenant keeps about who may enter, once it is known to be here. */
export interface TenantAccount {
  settings: Readonly<TenantSettings>;
  key(keyId: string): Promise<ApiKeyRecord | undefined>;
}

/** A credential that is genuine as far as it tells by itself: well-formed, whole, signed, for this tenant. */
export interface Proof {
  /** The principal, or `ProblemError("unauthenticated")` when the tenant does not know, or no longer wants, the credential. */
  admit(account: TenantAccount): Promise<Principal>;
}

/**
 * From a bearer credential to its proof, or `ProblemError("unauthenticated")`. Looks nothing up, so that what has no
 * chance costs nothing and answers the same whoever the tenant is.
 */
export type Authenticator = (credential: string | undefined, tenantId: string) => Promise<Proof>;

/** The one answer to a missing and to a wrong credential. */
export function unauthenticated(): ProblemError {
  return new ProblemError("unauthenticated", "Send a valid credential as Authorization: Bearer ….", {
    headers: { "www-authenticate": 'Bearer realm="proveniq"' },
  });
}
