/** Fields that a list of items can be filtered by. */
export const itemFilters = ["ownerId", "category", "marketKey", "externalId"] as const;
export type ItemFilter = (typeof itemFilters)[number];
/** What a full import finds its source's items by. */
const sourceField = "importSource";

export interface SortField {
  field: string;
  direction: "asc" | "desc";
}

/** A query without its values: what an index must serve. Scope is always one collection. */
export interface QueryShape {
  collection: string;
  equal: readonly string[];
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

/**
 * Every query shape that the code can produce: each must be covered by infra/firestore.indexes.json. A new query
 * begins here. Reading a whole collection needs no index and no entry.
 */
export const queryShapes: readonly QueryShape[] = [
  ...subsets(itemFilters).map((fields) => itemListShape(Object.fromEntries(fields.map((f) => [f, "any"])))),
  { collection: "items", equal: [sourceField], order: byName },
  // The market database: a range of buckets is served by what would sort by them; old pages go by name.
  {
    collection: "values",
    equal: [],
    order: [
      { field: "bucket", direction: "asc" },
      { field: "__name__", direction: "asc" },
    ],
  },
  { collection: "changes", equal: [], order: byName },
  // Imports are few: their list may lean on the automatic index of its time.
  { collection: "imports", equal: [], order: newestFirst },
  { collection: "reports", equal: [], order: byName },
  { collection: "undoReports", equal: [], order: byName },
  { collection: "pages", equal: [], order: byName },
  // The sink goes through the outbox by name.
  { collection: "outbox", equal: [], order: byName },
];

/** The only files that may build queries with filters or an order; a test holds them to it. */
export const queryFiles: readonly string[] = [
  "imports/lookup.ts",
  "imports/store.ts",
  "imports/undo.ts",
  "items/list.ts",
  "market/drift.ts",
  "market/publishing.ts",
  "market/replica.ts",
  "outbox/sink.ts",
];
