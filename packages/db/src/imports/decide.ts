import { isDeepStrictEqual } from "node:util";
import type { DocumentData } from "@google-cloud/firestore";
import type { RowNote } from "@proveniq/contracts";
import { defined, hasContent, type ItemRecord } from "../items/document.ts";
import { inputOf, markOf, type StagedRow, wantedOf } from "./rows.ts";
import type { Governed } from "./types.ts";

/** What stays the same for all things of an import. */
export interface DecideOptions {
  tenantId: string;
  source: string;
  seq: number;
  governed: Governed;
}

/**
 * What becomes of one thing. `touched`: only its import's mark moves. `absent`: to be deleted and not there. `none`: no good row
 * names it.
 */
export type Kind = "created" | "changed" | "unchanged" | "touched" | "deleted" | "absent" | "none";

export interface Decision {
  kind: Kind;
  /** As it is to be, where it is written. Absent where one row makes it of nothing: it is as that row says. */
  after?: Pick<ItemRecord, "input" | "imported">;
  /** The last good row. */
  decides?: StagedRow;
  /** Good rows before that. */
  superseded: StagedRow[];
  /** Rows that are good by themselves, but not together with what the thing has besides. */
  refused: StagedRow[];
}

const mostAttributes = 50;
export const tooManyAttributes: RowNote = {
  level: "error",
  code: "not-valid",
  field: "/attributes",
  message: `With the attributes that the item has from elsewhere there would be more than ${mostAttributes}.`,
};

/** Apply the rows that name one thing, in the order of the file, to what is there. Pure. */
export function decide(
  existing: Pick<ItemRecord, "input" | "imported"> | undefined,
  rows: readonly StagedRow[],
  options: DecideOptions,
): Decision {
  const superseded: StagedRow[] = [];
  const refused: StagedRow[] = [];
  const only = onlyOf(rows);
  // Of nothing nothing is kept, and by itself the row was good.
  if (existing === undefined && only !== undefined)
    return { kind: "created", decides: only, superseded, refused };
  let decides: StagedRow | undefined;
  let now = existing?.input;
  for (const row of rows) {
    if (row.op === "n") continue;
    if (row.op === "u") {
      const wanted = merged(inputOf(row), now, options);
      if (Object.keys(wanted.attributes ?? {}).length > mostAttributes) {
        refused.push(row);
        continue;
      }
      now = wanted;
    } else now = undefined;
    if (decides !== undefined) superseded.push(decides);
    decides = row;
  }
  if (decides === undefined) return { kind: "none", superseded, refused };
  if (now === undefined) {
    return { kind: existing === undefined ? "absent" : "deleted", decides, superseded, refused };
  }
  const { source, seq } = options;
  const after = { input: now, imported: { source, job: seq, row: markOf(decides) } };
  const made = { decides, superseded, refused };
  if (existing === undefined) return { kind: "created", after, ...made };
  if (!isDeepStrictEqual(existing.input, now)) return { kind: "changed", after, ...made };
  if (existing.imported?.source === source) return { kind: "unchanged", ...made };
  return { kind: "touched", after, ...made };
}

/** The row that alone asks for its thing. */
function onlyOf(rows: readonly StagedRow[]): StagedRow | undefined {
  const [only] = rows;
  return rows.length === 1 && only?.op === "u" ? only : undefined;
}

/**
 * Decide about a thing by its document, if that can be done without reading all of it: it is wanted just as it is. Undefined: it
 * cannot.
 */
export function decideSame(
  there: DocumentData,
  rows: readonly StagedRow[],
  { source }: DecideOptions,
): Decision | undefined {
  const decides = onlyOf(rows);
  if (decides === undefined || there["importSource"] !== source) return undefined;
  const { facts, head } = wantedOf(decides);
  const { category, marketKey, ownerId = String(there["ownerId"]) } = facts;
  if (
    !hasContent(there, {
      named: { ownerId, category, ...(marketKey === undefined ? {} : { marketKey }) },
      head,
    })
  )
    return undefined;
  return { kind: "unchanged", decides, superseded: [], refused: [] };
}

/** The thing as a row wants it: what the import does not govern stays as it was. */
function merged(
  wanted: ReturnType<typeof inputOf>,
  before: ItemRecord["input"] | undefined,
  { tenantId, governed }: DecideOptions,
): ItemRecord["input"] {
  const ownerId = wanted.ownerId ?? before?.ownerId ?? tenantId;
  if (before === undefined || governed === "all") return { ...wanted, ownerId };
  const kept: Partial<ItemRecord["input"]> = {};
  for (const name of Object.keys(before) as (keyof typeof before)[]) {
    if (name !== "attributes" && !governed.fields.includes(name))
      Object.assign(kept, { [name]: before[name] });
  }
  const attributes: NonNullable<ItemRecord["input"]["attributes"]> = {};
  for (const [name, value] of Object.entries(before.attributes ?? {})) {
    if (!governed.attributes.includes(name)) attributes[name] = value;
  }
  Object.assign(attributes, wanted.attributes);
  return defined({
    ...kept,
    ...wanted,
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    ownerId,
  });
}
