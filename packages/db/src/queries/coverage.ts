import { z } from "zod";
import type { QueryShape, SortField } from "./shapes.ts";

const order = z.enum(["ASCENDING", "DESCENDING"]);
const scope = z.enum(["COLLECTION", "COLLECTION_GROUP"]);

/** The Firebase CLI's file of index definitions, as far as we use it. */
export const indexDefinitions = z.strictObject({
  indexes: z.array(
    z.strictObject({
      collectionGroup: z.string(),
      queryScope: z.literal("COLLECTION"),
      fields: z.array(z.strictObject({ fieldPath: z.string(), order })).min(2),
    }),
  ),
  fieldOverrides: z.array(
    z.strictObject({
      collectionGroup: z.string(),
      fieldPath: z.string(),
      ttl: z.boolean().optional(),
      indexes: z.array(z.strictObject({ order, queryScope: scope })),
    }),
  ),
});
export type IndexDefinitions = z.infer<typeof indexDefinitions>;

/** One index: the fields it is equal on, in any order, then those it is sorted by. */
interface Index {
  equal: readonly string[];
  sort: readonly SortField[];
}

/**
 * True when Firestore can serve a shape with these definitions in production: every equality must be served by
 * an index whose remaining fields are exactly the sort, and indexes that share the sort are merged.
 */
export function coveredBy(shape: QueryShape, definitions: IndexDefinitions): boolean {
  const sort = withoutName(shape.order);
  if (shape.equal.length === 0 && sort.length === 0) return true;
  const served = new Set<string>();
  let any = false;
  for (const index of [...composites(shape, definitions), ...automatic(shape, definitions)]) {
    if (!sameSort(index.sort, shape.order)) continue;
    if (!index.equal.every((field) => shape.equal.some((e) => e === field))) continue;
    any = true;
    for (const field of index.equal) served.add(field);
  }
  return any && shape.equal.every((field) => served.has(field));
}

/** Composite definitions, split where the shape's sort begins. `__name__` follows the last direction. */
function composites(shape: QueryShape, definitions: IndexDefinitions): Index[] {
  const sorted = withoutName(shape.order).length;
  return definitions.indexes
    .filter((index) => index.collectionGroup === shape.collection)
    .map(({ fields }) => {
      const named = fields.map(({ fieldPath, order }) => ({
        field: fieldPath,
        direction: order === "ASCENDING" ? ("asc" as const) : ("desc" as const),
      }));
      const at = named.length - sorted;
      const last = named.at(-1)?.direction ?? "asc";
      return {
        equal: named.slice(0, at).map(({ field }) => field),
        sort: [...named.slice(at), { field: "__name__", direction: sorted === 0 ? "asc" : last }],
      };
    });
}

/** The single-field indexes that Firestore makes by itself, unless an override takes them away. */
function automatic(shape: QueryShape, definitions: IndexDefinitions): Index[] {
  const sort = withoutName(shape.order);
  const [only] = sort;
  if (only !== undefined) {
    return sort.length === 1 && has(definitions, shape.collection, only)
      ? [{ equal: [], sort: shape.order }]
      : [];
  }
  return shape.equal
    .filter((field) => has(definitions, shape.collection, { field, direction: "asc" }))
    .map((field) => ({ equal: [field], sort: shape.order }));
}

/** Whether a collection has the single-field index on this field and direction. */
function has(definitions: IndexDefinitions, collection: string, { field, direction }: SortField): boolean {
  const override = definitions.fieldOverrides.find(
    (o) => o.collectionGroup === collection && o.fieldPath === field,
  );
  const wanted = direction === "asc" ? "ASCENDING" : "DESCENDING";
  return (
    override === undefined ||
    override.indexes.some((i) => i.queryScope === "COLLECTION" && i.order === wanted)
  );
}

function withoutName(order: readonly SortField[]): SortField[] {
  return order.filter(({ field }) => field !== "__name__");
}

function sameSort(a: readonly SortField[], b: readonly SortField[]): boolean {
  return (
    a.length === b.length && a.every((s, n) => s.field === b[n]?.field && s.direction === b[n]?.direction)
  );
}
