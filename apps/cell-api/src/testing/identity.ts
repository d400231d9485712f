import { generateKeyPairSync, sign } from "node:crypto";
import type { ApiKeyRecord, Scope, TokenIssuer } from "@proveniq/contracts";
import { scope } from "@proveniq/contracts";
import { makeApiKey } from "@proveniq/tenant-context/credentials";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = { ...publicKey.export({ format: "jwk" }), kid: "test", alg: "ES256" };

/** An issuer whose keys need no network. */
export const testIssuer: TokenIssuer = {
  issuer: "https://issuer.test",
  audience: "proveniq-test",
  jwks: `data:application/json,${encodeURIComponent(JSON.stringify({ keys: [jwk] }))}`,
  algorithm: "ES256",
};

/** A person's token, good for five minutes. */
export function testToken(claims: { sub: string } & Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const { issuer: iss, audience: aud } = testIssuer;
  const payload = { iss, aud, iat: now, exp: now + 300, ...claims };
  const signed = `${part({ alg: "ES256", kid: "test" })}.${part(payload)}`;
  const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** A development key and the record that a cell must find. */
export interface TestKey {
  key: string;
  record: ApiKeyRecord;
}

export async function makeTestKey(tenantId: string, scopes: Scope[] = scope.options): Promise<TestKey> {
  const { key, keyId, secretHash } = await makeApiKey("dev", tenantId);
  const createdAt = new Date().toISOString();
  const more = { label: "Test", createdAt, expiresAt: null, revokedAt: null };
  return { key, record: { keyId, tenantId, environment: "dev", secretHash, scopes, ...more } };
}

const keys = new Map<string, Promise<TestKey>>();

/** The key that tests of this process use for a tenant: one with every scope. */
export function testKeyOf(tenantId: string): Promise<TestKey> {
  const known = keys.get(tenantId) ?? makeTestKey(tenantId);
  keys.set(tenantId, known);
  return known;
}
