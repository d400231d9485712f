import { type DomainEvent, ProblemError } from "@proveniq/contracts";

/** Who calls, as the cell verified it. */
export interface Principal {
  kind: DomainEvent["actor"]["kind"];
  id: string;
  /** Set for people: what is theirs is all they reach. Without it the principal acts for the whole tenant. */
  ownerId?: string;
}

/**
 * From a bearer credential to a principal of that tenant, or `ProblemError("unauthenticated")`. Must answer
 * the same for tenants that exist and tenants that do not.
 */
export type Authenticator = (credential: string | undefined, tenantId: string) => Promise<Principal>;

/** The one answer to a missing and to a wrong credential. */
export function unauthenticated(): ProblemError {
  return new ProblemError("unauthenticated", "Send a valid credential as Authorization: Bearer ….", {
    headers: { "www-authenticate": 'Bearer realm="proveniq"' },
  });
}

/** Lets nobody in: what a cell has when no kind of credential is configured. */
export const refuseAll: Authenticator = () => Promise.reject(unauthenticated());
