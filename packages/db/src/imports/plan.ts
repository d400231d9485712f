import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { DocumentData, DocumentSnapshot } from "@google-cloud/firestore";
import {
  type ImportCounts,
  type ImportPlan,
  importCounts,
  importPlan,
  noCounts,
  type RowReport,
} from "@proveniq/contracts";
import { z } from "zod";
import type { ItemRecord } from "../items/document.ts";
import { type DecideOptions, decide, decideSame, type Kind, tooManyAttributes } from "./decide.ts";
import { type Group, markOf, type StagedRow } from "./rows.ts";

/** What a check counted in one range. */
export interface RangeHead {
  /** Of all things of the range; `failed`: refused by the check. */
  plan: ImportPlan;
  /** Of the things that are not written, whose rows are decided thereby. */
  rest: ImportCounts;
  pages: number;
}

/** How a range of ids is to be written. */
export interface RangePlan extends RangeHead {
  /** What becomes of each thing that rows name, by id; see `letters`. */
  kinds: string;
  /** Ids of things that a full import no longer names, sorted. */
  gone: string[];
  /** Where each page ends, in the order of `entriesOf`. */
  cuts: number[];
  /** Marks of refused rows that the report has already. */
  refused: number[];
}

const letters: Readonly<Record<Kind, string>> = {
  created: "c",
  changed: "h",
  unchanged: "u",
  touched: "t",
  deleted: "d",
  absent: "a",
  none: "n",
};
const written = "chtd";

/** Something that a page writes. Without a group: it is gone. */
export interface Entry {
  id: string;
  group?: Group;
  /** It was not there when it was looked for. */
  isNew: boolean;
}

/** What is there of a thing: its document, the item that this is, and about how many bytes it has. */
export interface Existing {
  data: DocumentData;
  record(): ItemRecord;
  bytes: number;
}

/** What a range of the book has. */
export interface Found {
  existing: ReadonlyMap<string, Existing>;
  /** Things of the import's source that no row names, by id. */
  gone: readonly { id: string; bytes: number }[];
  ofSource: number;
}

export const noPlan: Readonly<ImportPlan> = Object.fromEntries(
  Object.keys(importPlan.shape).map((key) => [key, 0]),
) as ImportPlan;

/** The sum of two plans. */
export function addPlans(a: ImportPlan, b: ImportPlan): ImportPlan {
  const sum = { ...a };
  for (const key of Object.keys(sum) as (keyof ImportPlan)[]) sum[key] += b[key];
  return sum;
}

export interface PlanOptions extends DecideOptions {
  /** Things in one page, and bytes. */
  pageRows: number;
  pageBytes: number;
  /** Duplicates that are listed. */
  listed: number;
}

/** Decide about the things of one range. Pure. */
export function planRange(
  groups: readonly Group[],
  found: Found,
  options: PlanOptions,
): { plan: RangePlan; reports: RowReport[] } {
  const plan = { ...noPlan, ofSource: found.ofSource };
  const rest = { ...noCounts };
  const reports: RowReport[] = [];
  const refused: number[] = [];
  const weights = new Map<string, number>();
  let listed = 0;
  let kinds = "";
  for (const group of groups) {
    const there = found.existing.get(group.id);
    const same = there && decideSame(there.data, group.rows, options);
    const decision = same ?? decide(there?.record(), group.rows, options);
    const { kind, decides } = decision;
    kinds += letters[kind];
    plan.superseded += decision.superseded.length;
    plan.failed += decision.refused.length;
    for (const row of decision.refused) {
      refused.push(markOf(row));
      reports.push(refusedReport(row));
    }
    for (const row of decision.superseded) {
      if (decides !== undefined && listed++ < options.listed) reports.push(duplicateReport(row, decides));
    }
    if (written.includes(letters[kind])) {
      weights.set(group.id, 1_000 + (there?.bytes ?? 0) + 2 * (decides?.text.length ?? 0));
      plan[kind === "touched" ? "unchanged" : (kind as "created" | "changed" | "deleted")]++;
      continue;
    }
    rest.superseded += decision.superseded.length;
    rest.warnings += decision.superseded.length;
    rest.failed += decision.refused.length;
    if (kind === "unchanged" || kind === "absent") {
      plan[kind]++;
      rest[kind]++;
    }
  }
  for (const { id, bytes } of found.gone) weights.set(id, 1_000 + bytes);
  plan.gone = found.gone.length;
  plan.deleted += plan.gone;
  const gone = found.gone.map(({ id }) => id);
  const cuts = cutsOf(order(groups, kinds, gone, options.pageRows), weights, options);
  return { plan: { plan, rest, pages: cuts.length, kinds, gone, cuts, refused }, reports };
}

function cutsOf(
  entries: readonly Entry[],
  weights: ReadonlyMap<string, number>,
  { pageRows, pageBytes }: PlanOptions,
): number[] {
  const cuts: number[] = [];
  let from = 0;
  let bytes = 0;
  for (const [n, { id }] of entries.entries()) {
    const weight = weights.get(id) ?? 0;
    if (n > from && (n - from >= pageRows || bytes + weight > pageBytes)) {
      cuts.push(n);
      from = n;
      bytes = 0;
    }
    bytes += weight;
  }
  if (entries.length > from) cuts.push(entries.length);
  return cuts;
}

/**
 * What is written, in an order in which neighbours are far apart: a page is spread over its whole range and does not fill one end
 * of it after the other.
 */
function order(groups: readonly Group[], kinds: string, gone: readonly string[], pageRows: number): Entry[] {
  const entries: Entry[] = [];
  for (const [n, group] of groups.entries()) {
    const kind = kinds[n] ?? "n";
    if (written.includes(kind)) entries.push({ id: group.id, group, isNew: kind === "c" });
  }
  for (const id of gone) entries.push({ id, isNew: false });
  if (gone.length > 0) entries.sort((a, b) => (a.id < b.id ? -1 : 1));
  const stride = Math.max(1, Math.ceil(entries.length / pageRows));
  const spread: Entry[] = [];
  for (let first = 0; first < stride; first++) {
    for (let n = first; n < entries.length; n += stride) {
      const entry = entries[n];
      if (entry !== undefined) spread.push(entry);
    }
  }
  return spread;
}

/** The pages of a range: fixed by its plan. Each in the order of names, in which a database takes a commit's locks. */
export function pagesOf(plan: RangePlan, groups: readonly Group[], pageRows: number): Entry[][] {
  const entries = order(groups, plan.kinds, plan.gone, pageRows);
  return plan.cuts.map((to, n) =>
    entries.slice(plan.cuts[n - 1] ?? 0, to).sort((a, b) => (a.id < b.id ? -1 : 1)),
  );
}

/** The report's line about a row that a check refused, but for the row as it came. */
export function refusedReport({ row, chunk }: StagedRow): RowReport {
  return { row, chunk, refused: true, notes: [tooManyAttributes] };
}

function duplicateReport(row: StagedRow, decides: StagedRow): RowReport {
  const message = `Names the same thing as row ${decides.row}, which decides.`;
  return {
    row: row.row,
    chunk: row.chunk,
    refused: false,
    notes: [{ level: "warning", code: "duplicate", field: "/externalId", message }],
  };
}

const head = z.strictObject({ plan: importPlan, rest: importCounts, pages: z.int(), pageRows: z.int() });
const body = z.strictObject({
  kinds: z.string(),
  gone: z.array(z.string()),
  cuts: z.array(z.int()),
  refused: z.array(z.int()),
});

/** The document of a range's plan. `pageRows` is part of what fixes its pages. */
export function planDocument(
  { plan, rest, pages, ...more }: RangePlan,
  pageRows: number,
  expiresAt: Date,
): DocumentData {
  return {
    head: JSON.stringify({ plan, rest, pages, pageRows }),
    body: deflateRawSync(JSON.stringify(more), { level: 1 }),
    expiresAt,
  };
}

export function readHead(snapshot: DocumentSnapshot): z.infer<typeof head> | undefined {
  return snapshot.exists ? head.parse(JSON.parse(z.string().parse(snapshot.get("head")))) : undefined;
}

export function readPlan(snapshot: DocumentSnapshot): (RangePlan & { pageRows: number }) | undefined {
  const known = readHead(snapshot);
  const bytes: unknown = snapshot.get("body");
  if (known === undefined || !(bytes instanceof Uint8Array)) return undefined;
  return { ...known, ...body.parse(JSON.parse(inflateRawSync(bytes).toString("utf8"))) };
}
