import { createHmac, type KeyObject } from "node:crypto";

/**
 * 16 bytes of HMAC-SHA-256 over the parts, base64url. Parts are ids without NUL, so that no two lists of parts make
 * the same message. Without the key nothing can be guessed; with another cell's or day's key nothing matches.
 */
export function pseudonym(key: KeyObject, ...parts: string[]): string {
  return createHmac("sha256", key).update(parts.join("\0")).digest().toString("base64url", 0, 16);
}
