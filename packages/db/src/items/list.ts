import type { CollectionReference, Query } from "@google-cloud/firestore";
import { itemFilters, itemListShape } from "../queries/shapes.ts";
import type { ItemPosition, ItemQuery } from "../tenant/types.ts";
import type { ItemRecord } from "./document.ts";

/**
 * The query of one page, with one item more than asked for, which tells whether there is another page. Filters
 * and order come from the shape, so that nothing can be asked that the list of shapes does not name.
 */
export function listQuery(items: CollectionReference, query: ItemQuery): Query {
  const shape = itemListShape(query);
  let built: Query = items;
  for (const field of shape.equal) built = built.where(field, "==", query[field]);
  for (const { field, direction } of shape.order) built = built.orderBy(field, direction);
  if (query.after !== undefined) {
    const { id, createdAtMs } = query.after;
    built =
      shape.order.length === 1 ? built.startAfter(id) : built.startAfter(new Date(createdAtMs ?? 0), id);
  }
  return built.limit(query.limit + 1);
}

/** An item with its id. */
export interface Found {
  id: string;
  record: ItemRecord;
}

/** Of some items those that a query asks for and its position has not passed, in its order. */
export function matching(found: readonly Found[], query: ItemQuery): Found[] {
  const newestFirst = query.ownerId !== undefined;
  const order = (a: ItemPosition, b: ItemPosition) =>
    newestFirst ? (b.createdAtMs ?? 0) - (a.createdAtMs ?? 0) || byName(b.id, a.id) : byName(a.id, b.id);
  const at = ({ id, record }: Found) => positionOf(id, record, newestFirst);
  const { after } = query;
  return found
    .filter(({ record: { input } }) =>
      itemFilters.every((field) => query[field] === undefined || input[field] === query[field]),
    )
    .filter((each) => after === undefined || order(after, at(each)) < 0)
    .sort((a, b) => order(at(a), at(b)));
}

/** As Firestore sorts names of letters and digits. */
function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where the list goes on after this item. */
export function positionOf(id: string, record: ItemRecord, newestFirst: boolean): ItemPosition {
  return newestFirst ? { id, createdAtMs: record.createdAt.getTime() } : { id };
}
