import type { Scope, TokenIssuer } from "@proveniq/contracts";
import { type Authenticator, type Principal, unauthenticated } from "./authenticator.ts";
import type { TokenVerifier, VerifiedToken } from "./id-token.ts";

export interface PeopleOptions {
  verify: TokenVerifier;
  /** The cell's issuers; a tenant that names none has the first. */
  issuers: readonly TokenIssuer[];
  /** The tenant of people whose token names none: the cell's consumers. */
  defaultTenant?: string | undefined;
}

const personScopes: readonly Scope[] = ["items:read", "items:write"];
const staffScopes: readonly Scope[] = ["items:read", "items:write", "imports"];

/** People, by the ID token of whom they signed in to. A person is the owner of what is theirs and sees nothing else. */
export function peopleAuthenticator({ verify, issuers, defaultTenant }: PeopleOptions): Authenticator {
  return async (credential, tenantId) => {
    if (credential === undefined) throw unauthenticated();
    const token = await verify(credential);
    if ((token.tenant ?? defaultTenant) !== tenantId) throw unauthenticated();
    // Things that a partner registers for nobody belong to the tenant by its own id: no person may have that name.
    if (token.subject === tenantId) throw unauthenticated();
    return {
      admit: async ({ settings }) => {
        const issuer = settings.issuer ?? issuers[0]?.issuer;
        if (token.issuer !== issuer || token.identityTenant !== settings.identityTenant) {
          throw unauthenticated();
        }
        return principalOf(token);
      },
    };
  };
}

function principalOf({ subject, staff, expiresAtMs }: VerifiedToken): Principal {
  if (staff) return { kind: "staff", id: subject, scopes: staffScopes, expiresAtMs };
  return { kind: "person", id: subject, ownerId: subject, scopes: personScopes, expiresAtMs };
}
