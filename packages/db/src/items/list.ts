import type { CollectionReference, Query } from "@google-cloud/firestore";
import { itemListShape } from "../queries.ts";
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

/** Where the list goes on after this item. */
export function positionOf(id: string, record: ItemRecord, newestFirst: boolean): ItemPosition {
  return newestFirst ? { id, createdAtMs: record.createdAt.getTime() } : { id };
}
