import { isDeepStrictEqual } from "node:util";
import { type ImportCounts, noCounts, type RowNote } from "@proveniq/contracts";
import { eventOf } from "../items/changes.ts";
import { defined, type ItemRecord } from "../items/document.ts";
import type { EventBody } from "../tenant/commit.ts";
import { compareRanks, type Rank, rankRow } from "./rank.ts";
import type { Governed, PageRow } from "./types.ts";

/** What the tenant's database says about one row's item. */
export interface Standing {
  item: ItemRecord | undefined;
  /** Left by an import that deleted it. */
  tombstone: Rank | undefined;
}

/** What becomes of one item. `touched`: only its import's mark moves, the item stays as it is. */
export interface Verdict {
  id: string;
  after: ItemRecord | null;
  kind: "created" | "changed" | "deleted" | "touched";
}

export interface Decisions {
  verdicts: Verdict[];
  /** Ids whose deletion must be remembered. */
  tombstones: { id: string; rank: Rank }[];
  events: EventBody[];
  counts: ImportCounts;
  /** Rows that are good by themselves, but not together with what the item has besides. */
  refused: { row: NamedRow; note: RowNote }[];
}

export interface DecideOptions {
  job: { seq: number; source: string; governed: Governed };
  chunk: number;
  tenantId: string;
  stamp: { writeId: string; at: Date };
  /** True while an older import of the tenant may still write: then marks and tombstones must be left for it. */
  olderOpen: boolean;
}

/** A row with the id of its item. */
export type NamedRow = PageRow & { id: string };

/** Decide about the rows of a page; no two of them name the same item. Pure. */
export function decide(
  rows: readonly NamedRow[],
  find: (id: string) => Standing,
  options: DecideOptions,
): Decisions {
  const made: Decisions = { verdicts: [], tombstones: [], events: [], counts: { ...noCounts }, refused: [] };
  const { counts } = made;
  for (const row of rows) {
    const rank = { job: options.job.seq, row: rankRow(options.chunk, row.at) };
    const { item, tombstone } = find(row.id);
    if (outranked(rank, item?.imported) || outranked(rank, tombstone)) {
      counts.superseded++;
    } else if (row.op === "delete") {
      if (options.olderOpen) made.tombstones.push({ id: row.id, rank });
      counts[item === undefined ? "absent" : "deleted"]++;
      if (item === undefined) continue;
      made.verdicts.push({ id: row.id, after: null, kind: "deleted" });
      made.events.push(eventOf(row.id, item.input, undefined));
    } else {
      const input = mergedInput(row.input, item, options);
      if (Object.keys(input.attributes ?? {}).length > mostAttributes) {
        counts.failed++;
        made.refused.push({ row, note: tooManyAttributes });
      } else upsert(made, row.id, input, item, rank, options);
    }
  }
  return made;
}

function upsert(
  made: Decisions,
  id: string,
  input: ItemRecord["input"],
  item: ItemRecord | undefined,
  rank: Rank,
  { job, stamp, olderOpen }: DecideOptions,
): void {
  const { counts } = made;
  const imported = { source: job.source, ...rank };
  const { writeId, at } = stamp;
  if (item === undefined) {
    const after = { input, version: 1, writeId, createdAt: at, updatedAt: at, imported };
    made.verdicts.push({ id, after, kind: "created" });
    made.events.push(eventOf(id, undefined, input));
    counts.created++;
  } else if (isDeepStrictEqual(item.input, input)) {
    counts.unchanged++;
    if (olderOpen || item.imported?.source !== job.source) {
      made.verdicts.push({ id, after: { ...item, imported }, kind: "touched" });
    }
  } else {
    const after = { ...item, input, version: item.version + 1, writeId, updatedAt: at, imported };
    made.verdicts.push({ id, after, kind: "changed" });
    made.events.push(eventOf(id, item.input, input));
    counts.changed++;
  }
}

const mostAttributes = 50;
const tooManyAttributes: RowNote = {
  level: "error",
  code: "not-valid",
  field: "/attributes",
  message: `With the attributes that the item has from elsewhere there would be more than ${mostAttributes}.`,
};

function outranked(rank: Rank, by: Rank | undefined): boolean {
  return by !== undefined && compareRanks(rank, by) < 0;
}

/** The item as the row wants it: what the import does not govern stays as it was. */
function mergedInput(
  wanted: Extract<PageRow, { op: "upsert" }>["input"],
  item: ItemRecord | undefined,
  { job, tenantId }: DecideOptions,
): ItemRecord["input"] {
  const ownerId = wanted.ownerId ?? item?.input.ownerId ?? tenantId;
  if (item === undefined || job.governed === "all") return defined({ ...wanted, ownerId });
  const { fields, attributes: governed } = job.governed;
  const { attributes: old, ...before } = item.input;
  const kept = Object.fromEntries(Object.entries(before).filter(([name]) => !fields.includes(name)));
  const keptAttributes = Object.entries(old ?? {}).filter(([name]) => !governed.includes(name));
  const { attributes: own, ...after } = wanted;
  const attributes = { ...Object.fromEntries(keptAttributes), ...own };
  return defined({
    ...(kept as Partial<ItemRecord["input"]>),
    ...after,
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    ownerId,
  });
}
