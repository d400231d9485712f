/** Bytes of an item id in a chunk's list of what its rows name. */
export const idBytes = 16;

/**
 * The ids that a chunk's rows name, 16 bytes each in the order of the rows; zeros for a row that names nothing.
 * An imported item's id is 32 hex digits, so this is the whole id.
 */
export function packIds(ids: readonly (string | undefined)[]): Buffer {
  const packed = Buffer.alloc(ids.length * idBytes);
  for (const [n, id] of ids.entries()) if (id !== undefined) packed.write(id, n * idBytes, idBytes, "hex");
  return packed;
}

/** The id at a place; undefined when the row there names nothing. */
export function unpackId(packed: Buffer, at: number): string | undefined {
  const id = packed.toString("hex", at * idBytes, (at + 1) * idBytes);
  return /^0*$/.test(id) ? undefined : id;
}

/** The first 52 bits of an id as a number: sorts fast, and two ids of a book of millions hardly ever share one. */
export function keyOf(id: string): number {
  return Number.parseInt(id.slice(0, 13), 16);
}

/** `keyOf` for the id at a place of a packed list; 0 for none. */
export function keyAt(packed: Buffer, at: number): number {
  const offset = at * idBytes;
  return packed.readUIntBE(offset, 6) * 16 + ((packed[offset + 6] ?? 0) >>> 4);
}
