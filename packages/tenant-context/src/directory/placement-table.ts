/** One tenant of a table: which of the table's cells, by number, and since which epoch. */
export interface PackedEntry {
  tenantId: string;
  cell: number;
  epoch: number;
}

const maxCells = 0xffff;
const maxEpoch = 0xffffffff;
const offsetMask = 0x07ffffff;
const tagMask = ~offsetMask;
const maxBytes = offsetMask;
const perRecord = 7; // length of the key, cell (2), epoch (4)

/**
 * A read-only map from tenant id to cell and epoch in two byte arrays: about 32 bytes a tenant, no object per tenant
 * and so nothing for the garbage collector to walk. Open addressing; keys are compared in full, so a hash collision
 * can only cost time.
 */
export class PlacementTable {
  readonly size: number;
  /**
   * Offset of a record plus one, below 5 bits of its key's hash; 0 is free. The bits spare the look at most records
   * that are not meant: with a million tenants each such look waits for memory. The length is a power of two.
   */
  readonly #slots: Uint32Array;
  /** Records one after the other: key length, key, cell, epoch. */
  readonly #records: Uint8Array;

  private constructor(size: number, slots: Uint32Array, records: Uint8Array) {
    this.size = size;
    this.#slots = slots;
    this.#records = records;
  }

  /**
   * @param entries Well-formed tenant ids (ASCII, at most 255 characters), each once: `count` of them in all, which
   * is asked for so that nothing has to grow or be held twice.
   */
  static build(entries: Iterable<PackedEntry>, count: number, keyBytes: number): PlacementTable {
    if (keyBytes + count * perRecord >= maxBytes) throw new RangeError("too many tenants for one table");
    let capacity = 8;
    while (capacity < count * 2) capacity *= 2;
    const slots = new Uint32Array(capacity);
    const records = new Uint8Array(keyBytes + count * perRecord);
    let at = 0;
    let size = 0;
    for (const { tenantId, cell, epoch } of entries) {
      if (cell > maxCells || epoch > maxEpoch) throw new RangeError("cell or epoch out of range");
      const h = hash(tenantId);
      let slot = h & (capacity - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (capacity - 1);
      slots[slot] = (h & tagMask) | (at + 1);
      records[at] = tenantId.length;
      at += 1;
      for (let i = 0; i < tenantId.length; i += 1) records[at + i] = tenantId.charCodeAt(i);
      at += tenantId.length;
      records[at] = cell & 0xff;
      records[at + 1] = cell >>> 8;
      for (let i = 0; i < 4; i += 1) records[at + 2 + i] = epoch >>> (8 * i);
      at += 6;
      size += 1;
    }
    return new PlacementTable(size, slots, records);
  }

  /** Bytes that the table holds, all told. */
  get bytes(): number {
    return this.#slots.byteLength + this.#records.byteLength;
  }

  /** Where the tenant's record is, for `cellAt` and `epochAt`; -1 when there is none. */
  find(tenantId: string): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const h = hash(tenantId);
    for (let slot = h & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot] ?? 0;
      if (entry === 0) return -1;
      if (((entry ^ h) & tagMask) !== 0) continue;
      const record = (entry & offsetMask) - 1;
      if (this.#holds(record, tenantId)) return record;
    }
  }

  cellAt(record: number): number {
    const at = record + 1 + (this.#records[record] ?? 0);
    return (this.#records[at] ?? 0) | ((this.#records[at + 1] ?? 0) << 8);
  }

  epochAt(record: number): number {
    const bytes = this.#records;
    const at = record + 3 + (bytes[record] ?? 0);
    const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    return low + (bytes[at + 3] ?? 0) * 0x1000000;
  }

  #holds(record: number, key: string): boolean {
    const bytes = this.#records;
    const length = key.length;
    if (bytes[record] !== length) return false;
    for (let i = 0; i < length; i += 1) if (bytes[record + 1 + i] !== key.charCodeAt(i)) return false;
    return true;
  }
}

/** FNV-1a over the characters, then mixed: the low bits choose the slot, the highest five are the tag. */
function hash(key: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 13);
}
