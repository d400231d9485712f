import { fieldsOf, numberOf, partsOf, textOf } from "./wire.ts";

/**
 * A value as Firestore sorts and measures it. Order of types: https://firebase.google.com/docs/firestore/manage-data/data-types
 * Sizes: https://firebase.google.com/docs/firestore/storage-size
 */
export interface Value {
  /** Place of its type among the types. */
  rank: number;
  /** What values of one type are sorted by. */
  key: number | string;
  /** Bytes that it takes in storage. */
  bytes: number;
  /** Of a map, by name. */
  fields?: ReadonlyMap<string, Value>;
  /** Of an array. */
  elements?: readonly Value[];
}

const ranks = {
  null: 0,
  boolean: 1,
  number: 2,
  time: 3,
  text: 4,
  bytes: 5,
  reference: 6,
  geo: 7,
  array: 8,
  map: 9,
};

/** Decode a `google.firestore.v1.Value`. Throws when it is cut off or no protobuf. */
export function valueOf(message: Buffer): Value {
  for (const { number, value } of fieldsOf(message)) {
    if (typeof value === "bigint") {
      if (number === 1) return { rank: ranks.boolean, key: Number(value), bytes: 1 };
      if (number === 2) return { rank: ranks.number, key: Number(BigInt.asIntN(64, value)), bytes: 8 };
    } else if (number === 3) return { rank: ranks.number, key: value.readDoubleLE(0), bytes: 8 };
    else if (number === 10) return { rank: ranks.time, key: microsOf(value), bytes: 8 };
    else if (number === 17) return { rank: ranks.text, key: value.toString("utf8"), bytes: value.length + 1 };
    else if (number === 18) return { rank: ranks.bytes, key: value.toString("latin1"), bytes: value.length };
    else if (number === 5) {
      const name = value.toString("utf8");
      return { rank: ranks.reference, key: name, bytes: nameBytes(name) };
    } else if (number === 8) return { rank: ranks.geo, key: value.toString("latin1"), bytes: 16 };
    else if (number === 9) {
      const elements = partsOf(value, 1).map(valueOf);
      return { rank: ranks.array, key: value.toString("latin1"), bytes: sum(elements), elements };
    } else if (number === 6) {
      const fields = fieldMap(value, 1);
      const bytes = fieldBytes(fields);
      return { rank: ranks.map, key: value.toString("latin1"), bytes, fields };
    }
  }
  return { rank: ranks.null, key: 0, bytes: 1 };
}

/** The fields of a message that has them as a protobuf map under `number`. */
export function fieldMap(message: Buffer, number: number): Map<string, Value> {
  return new Map(
    partsOf(message, number).map((entry) => [
      textOf(entry, 1),
      valueOf(partsOf(entry, 2)[0] ?? Buffer.alloc(0)),
    ]),
  );
}

/** What fields take in storage: each its name, one byte, and its value. */
export function fieldBytes(fields: ReadonlyMap<string, Value>): number {
  let bytes = 0;
  for (const [name, value] of fields) bytes += Buffer.byteLength(name) + 1 + value.bytes;
  return bytes;
}

/** What a document's name takes in storage. `name`: with or without `projects/…/documents/`. */
export function nameBytes(name: string): number {
  const path = name.split("/documents/").at(-1) ?? "";
  return 16 + path.split("/").reduce((bytes, part) => bytes + Buffer.byteLength(part) + 1, 0);
}

/** Negative, 0 or positive, as Firestore sorts ascending. */
export function compare(a: Value, b: Value): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** A text as a value: a document's id, for one. */
export function textValue(text: string): Value {
  return { rank: ranks.text, key: text, bytes: Buffer.byteLength(text) + 1 };
}

function microsOf(timestamp: Buffer): number {
  return numberOf(timestamp, 1) * 1_000_000 + Math.floor(numberOf(timestamp, 2) / 1_000);
}

function sum(values: readonly Value[]): number {
  return values.reduce((bytes, value) => bytes + value.bytes, 0);
}
