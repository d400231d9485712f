import { type ApiKeyRecord, isTenantId, type KeyEnvironment } from "@proveniq/contracts";
import { checksum, randomBase62 } from "./base62.ts";

/** The readable parts of an API key, and its secret. */
export interface ParsedKey {
  environment: KeyEnvironment;
  tenantId: string;
  keyId: string;
  secret: string;
}

/** SHA-256 of ASCII text, hex. The Node implementation is passed in where a hop to a thread would cost too much. */
export type Sha256 = (text: string) => string | Promise<string>;

const shape = /^pvq_(live|dev)_([a-z0-9-]{3,40})_([a-z0-9]{8})_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;
const nobody = "0".repeat(64);

/**
 * A new key `pvq_{live|dev}_{tenant}_{keyId}_{secret}{crc}`: the prefix routes it and lets scanners find it in
 * public code, the secret has 190 bits, the checksum refuses typing errors before anything is looked up.
 * Only `secretHash` may be kept.
 */
export async function makeApiKey(
  environment: KeyEnvironment,
  tenantId: string,
  sha256: Sha256 = webSha256,
): Promise<{ key: string; keyId: string; secretHash: string }> {
  const keyId = randomKeyId();
  const secret = randomBase62(32);
  const unsigned = `pvq_${environment}_${tenantId}_${keyId}_${secret}`;
  return { key: unsigned + checksum(unsigned), keyId, secretHash: await sha256(secret) };
}

/** The parts of a key, or undefined when it is not whole: nothing else about it is known yet. */
export function parseApiKey(text: string): ParsedKey | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, environment, tenantId = "", keyId = "", secret = "", crc] = match;
  if (checksum(text.slice(0, -6)) !== crc || !isTenantId(tenantId)) return undefined;
  return { environment: environment === "live" ? "live" : "dev", tenantId, keyId, secret };
}

/**
 * True when `record` is this key's and the key may be used at `now` (milliseconds). The secret is hashed and compared
 * whether or not there is a record, so that the time taken does not tell which key ids exist.
 */
export async function verifyApiKey(
  key: ParsedKey,
  record: ApiKeyRecord | undefined,
  now: number,
  sha256: Sha256 = webSha256,
): Promise<boolean> {
  const matches = sameText(await sha256(key.secret), record?.secretHash ?? nobody);
  if (record === undefined || !matches) return false;
  if (record.keyId !== key.keyId || record.tenantId !== key.tenantId) return false;
  if (record.environment !== key.environment || record.revokedAt !== null) return false;
  return record.expiresAt === null || now < Date.parse(record.expiresAt);
}

/** Compare every character, however early the first difference. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let n = 0; n < a.length; n += 1) difference |= a.charCodeAt(n) ^ b.charCodeAt(n);
  return difference === 0;
}

async function webSha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function randomKeyId(): string {
  let id = "";
  while (id.length < 8) id += randomBase62(16).replaceAll(/[A-Z]/g, "");
  return id.slice(0, 8);
}
