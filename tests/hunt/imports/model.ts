import { isDeepStrictEqual } from "node:util";

/**
 * What an import means, said as simply as it can be: the rows of a file, one after the other, applied to a book. It shares nothing
 * with the code that does it.
 */
export type Value = string | number | boolean;

/** The fields of an item that these files use. */
export interface Fields {
  externalId: string;
  ownerId?: string;
  title: string;
  category: string;
  description?: string;
  insuredValue?: { amountMinor: number; currency: string };
  attributes?: Record<string, Value>;
}

export type Owned = Fields & { ownerId: string };

/** What one row of a file says, whatever it is written in. */
export type RowSays =
  | { says: "upsert"; input: Fields; remarks: number }
  | { says: "delete"; externalId: string }
  | { says: "blank" }
  /** It cannot be taken. `externalId`: what it names all the same. */
  | { says: "refused"; externalId?: string };

/** Fields and attributes that a mapping decides about; `all`: rows are whole items. */
export type Governs = "all" | { fields: readonly string[]; attributes: readonly string[] };

export interface FileMeaning {
  source: string;
  full: boolean;
  governs: Governs;
  /** In the order of the file. */
  rows: readonly RowSays[];
}

/** An item as a book holds it. */
export interface Held {
  item: Owned;
  version: number;
  /** The source of the import that decided about it last; a change from elsewhere keeps it. */
  source: string | undefined;
}

export const ends = ["created", "changed", "unchanged", "deleted", "absent"] as const;
export type End = (typeof ends)[number];

/** What the rows that name one thing make of it. */
export interface Applied {
  after: Owned | undefined;
  /** Undefined: no good row names it. */
  end: End | undefined;
  /** Numbers of rows in the file, from 1: the one that decides, good ones before it, those that were refused for the item they met. */
  decides: number | undefined;
  superseded: number[];
  refused: number[];
}

const mostAttributes = 50;

/** Apply the rows of a file that name one thing, in their order. */
export function applyRows(
  file: FileMeaning,
  externalId: string,
  before: Owned | undefined,
  tenant: string,
): Applied {
  let now = before;
  const good: number[] = [];
  const refused: number[] = [];
  for (const [n, row] of file.rows.entries()) {
    if (row.says === "delete" && row.externalId === externalId) {
      now = undefined;
      good.push(n + 1);
    } else if (row.says === "upsert" && row.input.externalId === externalId) {
      const wanted = merged(row.input, now, file.governs, tenant);
      if (Object.keys(wanted.attributes ?? {}).length > mostAttributes) refused.push(n + 1);
      else {
        now = wanted;
        good.push(n + 1);
      }
    }
  }
  const decides = good.at(-1);
  const end = decides === undefined ? undefined : endOf(before, now);
  return { after: now, end, decides, superseded: good.slice(0, -1), refused };
}

function endOf(before: Owned | undefined, after: Owned | undefined): End {
  if (before === undefined) return after === undefined ? "absent" : "created";
  if (after === undefined) return "deleted";
  return isDeepStrictEqual(before, after) ? "unchanged" : "changed";
}

/** The item as one row wants it: a file leaves alone what its mapping does not name. */
function merged(row: Fields, now: Owned | undefined, governs: Governs, tenant: string): Owned {
  const ownerId = row.ownerId ?? now?.ownerId ?? tenant;
  if (now === undefined || governs === "all") return { ...row, ownerId };
  const attributes: Record<string, Value> = {};
  for (const [name, value] of Object.entries(now.attributes ?? {}))
    if (!governs.attributes.includes(name)) attributes[name] = value;
  Object.assign(attributes, row.attributes);
  const kept = Object.entries(now).filter(
    ([name]) => !governs.fields.includes(name) && name !== "attributes",
  );
  const { attributes: _, ...own } = row;
  return {
    ...(Object.fromEntries(kept) as Partial<Fields>),
    ...own,
    ownerId,
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

/** Every thing that a row of the file names, refused rows included: a full import leaves these be. */
export function namedBy({ rows }: FileMeaning): Set<string> {
  const named = new Set<string>();
  for (const row of rows) {
    if (row.says === "upsert") named.add(row.input.externalId);
    else if (row.says !== "blank" && row.externalId !== undefined) named.add(row.externalId);
  }
  return named;
}

/** How many rows are refused and name nothing. */
export function nameless({ rows }: FileMeaning): number {
  return rows.filter((row) => row.says === "refused" && row.externalId === undefined).length;
}

/** Facts of an item that its events tell. */
export function factsOf({ ownerId, category, insuredValue }: Owned): Record<string, unknown> {
  return { ownerId, category, ...(insuredValue === undefined ? {} : { insuredValue }) };
}
