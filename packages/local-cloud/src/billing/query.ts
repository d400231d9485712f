import type { QueryShape } from "@proveniq/db/queries";
import { fieldsOf, numberOf, partsOf, textOf } from "./wire.ts";

/** A query as far as its index and its cost depend on it. */
export interface QuerySeen {
  shape: QueryShape;
  /** All collections of that name, wherever they lie. */
  allDescendants: boolean;
  limit: number | undefined;
  /** The document's id in the cursor where it starts, when it goes by name. */
  after: string | undefined;
  /** Something that is not modelled here: such a query counts as served. */
  unknown: boolean;
}

const operators = { lessOrMore: [1, 2, 3, 4], equal: 5 };
const byName = "__name__";

/** Read a `StructuredQuery`. */
export function queryOf(query: Buffer): QuerySeen {
  const from = partsOf(query, 2)[0];
  const filters = partsOf(query, 3).flatMap(leavesOf);
  const equal = filters.filter((f) => f.op === operators.equal && f.field !== byName).map((f) => f.field);
  const ranged = filters.filter((f) => operators.lessOrMore.includes(f.op)).map((f) => f.field);
  const order = partsOf(query, 4).map((each) => ({
    field: fieldOf(partsOf(each, 1)[0]),
    direction: numberOf(each, 2) === 2 ? ("desc" as const) : ("asc" as const),
  }));
  // What is compared is sorted by first, said or not.
  for (const field of ranged) {
    if (!order.some((o) => o.field === field)) order.unshift({ field, direction: "asc" });
  }
  const last = order.at(-1)?.direction ?? "asc";
  if (!order.some((o) => o.field === byName)) order.push({ field: byName, direction: last });
  const limit = partsOf(query, 5)[0];
  return {
    shape: { collection: from === undefined ? "" : textOf(from, 2), equal: [...new Set(equal)], order },
    allDescendants: from !== undefined && numberOf(from, 3) === 1,
    limit: limit === undefined ? undefined : numberOf(limit, 1),
    after: order.length === 1 ? cursorOf(query) : undefined,
    unknown: filters.some((f) => f.op !== operators.equal && !operators.lessOrMore.includes(f.op)),
  };
}

interface Leaf {
  field: string;
  /** As in `FieldFilter.Operator`; 0 for what is no such filter or stands in an `OR`. */
  op: number;
}

function leavesOf(filter: Buffer): Leaf[] {
  return [...fieldsOf(filter)].flatMap(({ number, value }): Leaf[] => {
    if (typeof value === "bigint") return [];
    if (number === 1) {
      const inner = partsOf(value, 2).flatMap(leavesOf);
      return numberOf(value, 1) === 1 ? inner : inner.map(({ field }) => ({ field, op: 0 }));
    }
    if (number === 2) return [{ field: fieldOf(partsOf(value, 1)[0]), op: numberOf(value, 2) }];
    return [{ field: fieldOf(partsOf(value, 2)[0]), op: 0 }];
  });
}

function fieldOf(reference: Buffer | undefined): string {
  return reference === undefined ? "" : textOf(reference, 2);
}

/** The id of the document in `start_at`; undefined when there is none. */
function cursorOf(query: Buffer): string | undefined {
  const value = partsOf(query, 7).flatMap((cursor) => partsOf(cursor, 1))[0];
  return value === undefined ? undefined : textOf(value, 5).split("/").at(-1);
}
