export { makeApiKey, type ParsedKey, parseApiKey, type Sha256, verifyApiKey } from "./api-key.ts";
export * from "./authenticator.ts";
export { checksum } from "./base62.ts";
export * from "./either.ts";
export { looksLikeToken, type TokenVerifier, tokenVerifier, type VerifiedToken } from "./id-token.ts";
export { type KeyOptions, keyAuthenticator } from "./keys.ts";
export { type PeopleOptions, peopleAuthenticator } from "./people.ts";
export { cachedVerifier, type TokenCacheOptions } from "./token-cache.ts";
