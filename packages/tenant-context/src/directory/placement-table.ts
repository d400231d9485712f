import { maxEpoch } from "@proveniq/contracts";

/** One tenant of a table: which of the table's cells, by number, and since which epoch. */
export interface PackedEntry {
  tenantId: string;
  cell: number;
  epoch: number;
}

const maxCells = 0xffff;
const offsetMask = 0x07ffffff;
const tagMask = ~offsetMask;
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

  constructor(size: number, slots: Uint32Array, records: Uint8Array) {
    this.size = size;
    this.#slots = slots;
    this.#records = records;
  }

  /** A table of `entries`, for those who have them all at hand. */
  static of(entries: readonly PackedEntry[]): PlacementTable {
    const keyBytes = entries.reduce((sum, e) => sum + e.tenantId.length, 0);
    const builder = new PlacementTableBuilder(entries.length, keyBytes);
    for (const { tenantId, cell, epoch } of entries) builder.add(tenantId, cell, epoch);
    return builder.finish();
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
      if (holds(this.#records, record, tenantId)) return record;
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
}

/** Puts a table together. Both numbers may be too large, and what is too much is given back; none may be too small. */
export class PlacementTableBuilder {
  readonly #slots: Uint32Array;
  readonly #records: Uint8Array;
  #at = 0;
  #size = 0;

  /** @param keyBytes Of all tenant ids together. */
  constructor(count: number, keyBytes: number) {
    const bytes = keyBytes + count * perRecord;
    if (bytes >= offsetMask) throw new RangeError("too many tenants for one table");
    let capacity = 8;
    while (capacity < count * 2) capacity *= 2;
    this.#slots = new Uint32Array(capacity);
    this.#records = new Uint8Array(bytes);
  }

  /** @param tenantId A well-formed one: ASCII, at most 255 characters. False when it is there already. */
  add(tenantId: string, cell: number, epoch: number): boolean {
    if (cell > maxCells || epoch > maxEpoch) throw new RangeError("cell or epoch out of range");
    const slots = this.#slots;
    const records = this.#records;
    const h = hash(tenantId);
    let slot = h & (slots.length - 1);
    for (let entry = slots[slot] ?? 0; entry !== 0; entry = slots[slot] ?? 0) {
      if (((entry ^ h) & tagMask) === 0 && holds(records, (entry & offsetMask) - 1, tenantId)) return false;
      slot = (slot + 1) & (slots.length - 1);
    }
    let at = this.#at;
    slots[slot] = (h & tagMask) | (at + 1);
    records[at] = tenantId.length;
    at += 1;
    for (let i = 0; i < tenantId.length; i += 1) records[at + i] = tenantId.charCodeAt(i);
    at += tenantId.length;
    records[at] = cell & 0xff;
    records[at + 1] = cell >>> 8;
    for (let i = 0; i < 4; i += 1) records[at + 2 + i] = epoch >>> (8 * i);
    this.#at = at + 6;
    this.#size += 1;
    return true;
  }

  finish(): PlacementTable {
    const exact = this.#at === this.#records.length ? this.#records : this.#records.slice(0, this.#at);
    return new PlacementTable(this.#size, this.#slots, exact);
  }
}

function holds(records: Uint8Array, record: number, key: string): boolean {
  const length = key.length;
  if (records[record] !== length) return false;
  for (let i = 0; i < length; i += 1) if (records[record + 1 + i] !== key.charCodeAt(i)) return false;
  return true;
}

/** FNV-1a over the characters, then mixed: the low bits choose the slot, the highest five are the tag. */
function hash(key: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 13);
}
