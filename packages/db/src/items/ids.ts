import { createHash, randomInt } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** 20 random letters and digits (119 bits), the form of Firestore's own ids: no order, so no hot spot. */
export function autoId(): string {
  let id = "";
  while (id.length < 20) id += alphabet[randomInt(alphabet.length)];
  return id;
}

/** SHA-256 in hex over parts that cannot run into one another. */
export function hashOf(...parts: string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/**
 * The id of a thing that has an id of its owner's. A person's is derived from the person too: what they register
 * can neither collide with, nor tell them of, anything in another's name.
 */
export function itemIdFor(externalId: string | undefined, boundOwner: string | undefined): string {
  if (externalId === undefined) return autoId();
  const parts = boundOwner === undefined ? ["book", externalId] : ["owner", boundOwner, externalId];
  return hashOf("item", ...parts).slice(0, 32);
}
