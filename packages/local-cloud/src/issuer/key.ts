import type { webcrypto } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";

/** The development issuer's signing key, ready for use. `publicJwk` is what its JWKS shows. */
export interface IssuerKey {
  kid: string;
  privateKey: webcrypto.CryptoKey;
  publicJwk: { kty: "RSA"; n: string; e: string; kid: string; alg: "RS256"; use: "sig" };
}

const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const rsaJwk = z.looseObject({ kty: z.literal("RSA"), n: z.string(), e: z.string(), d: z.string() });
const stored = z.strictObject({ kid: z.string().min(1), jwk: rsaJwk });

/** A new key pair; no two share a `kid`. */
export async function makeIssuerKey(): Promise<IssuerKey> {
  const strength = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = await crypto.subtle.generateKey({ ...algorithm, ...strength }, true, ["sign", "verify"]);
  return assemble(crypto.randomUUID(), pair.privateKey);
}

/**
 * The key kept in `file`, made on first use, so that tokens outlive a restart of the fleet. Only its owner may
 * read the file. Throws when the file holds something else.
 */
export async function loadIssuerKey(file: string): Promise<IssuerKey> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) {
    const key = await makeIssuerKey();
    const jwk = await crypto.subtle.exportKey("jwk", key.privateKey);
    await writeFile(`${file}.tmp`, JSON.stringify({ kid: key.kid, jwk }), { mode: 0o600 });
    await rename(`${file}.tmp`, file);
    return key;
  }
  try {
    const { kid, jwk } = stored.parse(JSON.parse(text));
    return await assemble(kid, await crypto.subtle.importKey("jwk", jwk, algorithm, true, ["sign"]));
  } catch (cause) {
    throw new Error(`${file} holds no signing key: delete it, and the next start makes a new one.`, {
      cause,
    });
  }
}

async function assemble(kid: string, privateKey: webcrypto.CryptoKey): Promise<IssuerKey> {
  const { kty, n, e } = rsaJwk.parse(await crypto.subtle.exportKey("jwk", privateKey));
  return { kid, privateKey, publicJwk: { kty, n, e, kid, alg: "RS256", use: "sig" } };
}
