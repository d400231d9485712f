/** Fields that a list of items can be filtered by. */
export const itemFilters = ["ownerId", "category", "marketKey", "externalId"] as const;
export type ItemFilter = (typeof itemFilters)[number];

export interface SortField {
  field: string;
  direction: "asc" | "desc";
}

/** A query without its values: what an index must serve. Scope is always one collection. */
export interface QueryShape {
  collection: string;
  equal: readonly ItemFilter[];
  /** Ends with `__name__`, as every Firestore order does. */
  order: readonly SortField[];
}

const newestFirst: readonly SortField[] = [
  { field: "createdAt", direction: "desc" },
  { field: "__name__", direction: "desc" },
];
const byName: readonly SortField[] = [{ field: "__name__", direction: "asc" }];

/**
 * The shape of one list of items: of one owner newest first, of the whole book by id (an index on creation time
 * alone would cap a tenant's writes at 500 a second).
 */
export function itemListShape(query: { [F in ItemFilter]?: string | undefined }) {
  const equal = itemFilters.filter((field) => query[field] !== undefined);
  return {
    collection: "items",
    equal,
    order: query.ownerId === undefined ? byName : newestFirst,
  } satisfies QueryShape;
}

/** Every combination of filters. */
function subsets(fields: readonly ItemFilter[]): ItemFilter[][] {
  return fields.reduce<ItemFilter[][]>((all, field) => [...all, ...all.map((s) => [...s, field])], [[]]);
}

/** Every query shape that the code can produce in a tenants' database. Each must be covered by infra/firestore.indexes.json. */
export const queryShapes: readonly QueryShape[] = [
  ...subsets(itemFilters).map((fields) => itemListShape(Object.fromEntries(fields.map((f) => [f, "any"])))),
  { collection: "outbox", equal: [], order: byName },
];
