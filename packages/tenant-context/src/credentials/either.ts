import type { Authenticator } from "./authenticator.ts";
import { looksLikeToken } from "./id-token.ts";

/** Tokens to the one, everything else to the other: which of the two it is shows in the text itself. */
export function keysAndPeople(keys: Authenticator, people: Authenticator): Authenticator {
  return (credential, tenantId) =>
    credential !== undefined && looksLikeToken(credential)
      ? people(credential, tenantId)
      : keys(credential, tenantId);
}
