import type { KeyEnvironment } from "@proveniq/contracts";
import { parseApiKey, type Sha256, verifyApiKey } from "./api-key.ts";
import { type Authenticator, unauthenticated } from "./authenticator.ts";

export interface KeyOptions {
  /** `live` in production, `dev` in development: a key of the other kind is no key. */
  environment: KeyEnvironment;
  sha256?: Sha256;
  now?: () => number;
}

/** Partners' API keys. */
export function keyAuthenticator(options: KeyOptions): Authenticator {
  const { environment, sha256, now = Date.now } = options;
  return async (credential, tenantId) => {
    const key = credential === undefined ? undefined : parseApiKey(credential);
    if (key === undefined || key.environment !== environment || key.tenantId !== tenantId) {
      throw unauthenticated();
    }
    return {
      admit: async (account) => {
        const record = await account.key(key.keyId);
        const valid = await verifyApiKey(key, record, now(), sha256);
        if (!valid || record === undefined) throw unauthenticated();
        const { keyId, scopes, expiresAt } = record;
        return {
          kind: "key",
          id: keyId,
          scopes,
          expiresAtMs: expiresAt === null ? null : Date.parse(expiresAt),
        };
      },
    };
  };
}
