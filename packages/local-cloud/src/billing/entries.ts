import type { IndexDefinitions } from "@proveniq/db/queries";
import type { Value } from "./values.ts";
import { groupOf } from "./writes.ts";

/** One index entry of a document: where it lies. */
export interface IndexEntry {
  /** Names the index: `items(ownerId, createdAt desc)`. */
  index: string;
  /** The values it is sorted by, the document's name left out. */
  key: readonly Value[];
}

/**
 * The index entries of a document with these fields: two for each field that is neither array nor map, one for each element of an
 * array, the same for the fields of maps, except where an override says otherwise; one for each composite index all of whose
 * fields it has. https://firebase.google.com/docs/firestore/query-data/index-overview
 */
export function entriesOf(
  collection: string,
  fields: ReadonlyMap<string, Value>,
  definitions: IndexDefinitions,
): IndexEntry[] {
  const group = groupOf(collection);
  const entries: IndexEntry[] = [];
  const overrides = definitions.fieldOverrides.filter((o) => o.collectionGroup === group);
  const single = (path: string, value: Value, inherited: number | undefined) => {
    const override = overrides.find((o) => o.fieldPath === path);
    const orders = override === undefined ? inherited : override.indexes.length;
    if (value.fields !== undefined) {
      for (const [name, inner] of value.fields) single(`${path}.${name}`, inner, orders);
    } else if (value.elements !== undefined) {
      if ((orders ?? 1) === 0) return;
      for (const element of value.elements)
        entries.push({ index: `${group}(${path} contains)`, key: [element] });
    } else {
      for (let n = 0; n < (orders ?? 2); n++) entries.push({ index: `${group}(${path})`, key: [value] });
    }
  };
  for (const [name, value] of fields) single(name, value, undefined);
  for (const index of definitions.indexes) {
    if (index.collectionGroup !== group) continue;
    const key = index.fields.flatMap(({ fieldPath }) => fields.get(fieldPath) ?? []);
    if (key.length === index.fields.length) entries.push({ index: compositeName(index), key });
  }
  return entries;
}

function compositeName({ collectionGroup, fields }: IndexDefinitions["indexes"][number]): string {
  const named = fields.map((f) => `${f.fieldPath}${f.order === "DESCENDING" ? " desc" : ""}`);
  return `${collectionGroup}(${named.join(", ")})`;
}
