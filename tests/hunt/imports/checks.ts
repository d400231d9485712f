import { type ImportJob, rowReport } from "@proveniq/contracts";
import type { Book } from "./book.ts";
import type { Beginning } from "./calls.ts";
import type { HuntFile } from "./files.ts";
import { nameless } from "./model.ts";

/** Rows that are refused whatever the book holds. */
export function refusedRows({ meaning }: HuntFile): number {
  return meaning.rows.filter((row) => row.says === "refused").length;
}

/** Hold a plan against what a check finds in a book that is certain. */
export function planFaults(job: ImportJob, file: HuntFile, book: Book): string[] {
  const plan: Record<string, number> | undefined = job.plan;
  if (plan === undefined) return ["a preview tells no plan"];
  const out = book.outlook(file.meaning, undefined);
  const wanted: Record<string, number> = {
    created: out.created.low,
    changed: out.changed.low,
    unchanged: out.unchanged.low,
    deleted: out.deleted.low + out.gone.low,
    gone: out.gone.low,
    absent: out.absent.low,
    superseded: out.superseded.low,
    failed: out.refused.low + refusedRows(file),
  };
  // Nobody has to count them while nothing is gone.
  if (file.meaning.full && (plan["ofSource"] !== 0 || out.gone.low > 0))
    wanted["ofSource"] = out.ofSource.low;
  return Object.entries(wanted).flatMap(([key, value]) =>
    plan[key] === value ? [] : [`the plan says ${key} ${plan[key]}, it is ${value}`],
  );
}

/** Whether an import may be completed with what its file and the book say. `confirmed`: deletions, as the caller did. */
export function completedFaults(
  job: ImportJob,
  { name, file, dryRun, maxErrors, maxDeletePercent }: Beginning,
  confirmed: number | undefined,
  book: Book,
): string[] {
  if (job.state !== "completed") return [`complete is answered with state ${job.state}`];
  if (dryRun ? !book.isCertain : !book.isExact(name)) return [];
  const faults: string[] = [];
  const { refused, gone, ofSource } = book.outlook(file.meaning, name);
  const errors = refusedRows(file) + refused.low;
  if (errors > maxErrors) faults.push(`completed with ${errors} errors of ${maxErrors}`);
  if (dryRun || gone.low === 0) return faults;
  if (confirmed !== undefined && confirmed !== gone.low)
    faults.push(`deleted ${gone.low} where ${confirmed} were confirmed`);
  const share = (100 * gone.low) / ofSource.low;
  if (confirmed === undefined && (share > maxDeletePercent || nameless(file.meaning) > 0))
    faults.push(`deleted ${gone.low} of ${ofSource.low} without asking`);
  return faults;
}

/** Hold the row report of an import that nothing else was at work beside against what its rows met. */
export function reportFaults(text: string, name: string, { meaning }: HuntFile, book: Book): string[] {
  const wanted: string[] = [];
  for (const [n, row] of meaning.rows.entries()) if (row.says === "refused") wanted.push(`${n + 1} refused`);
  for (const fate of book.fates(name).values()) {
    for (const row of fate.refused) wanted.push(`${row} refused`);
    for (const row of fate.superseded) wanted.push(`${row} decided by ${fate.decides}`);
  }
  const found: string[] = [];
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const { row, refused, notes } = rowReport.parse(JSON.parse(line));
    if (refused) found.push(`${row} refused`);
    for (const { code, message } of notes)
      if (code === "duplicate") found.push(`${row} decided by ${/row (\d+)/.exec(message)?.[1]}`);
  }
  if (found.sort().join() === wanted.sort().join()) return [];
  return [`its report says ${found.join(", ")}; it should ${wanted.join(", ")}`];
}

/** Whether an import's counts are what it did, in a book that was compared with what is stored. */
export function countFaults(
  name: string,
  { counts }: ImportJob,
  { meaning }: HuntFile,
  book: Book,
): string[] {
  const faults: string[] = [];
  const { rows } = meaning;
  const of = (says: string) => rows.filter((row) => row.says === says).length;
  const { created, changed, unchanged, deleted, absent, superseded } = counts;
  const refused = counts.failed - of("refused");
  const told = { created, changed, unchanged, deletedInAll: deleted, absent, superseded, refused };
  if (!book.accountsFor(name, told))
    faults.push(`its counts ${JSON.stringify(counts)} fit nothing that it can have done`);
  if (counts.rows !== rows.length || counts.blank !== of("blank"))
    faults.push(
      `counts ${counts.rows} rows, ${counts.blank} blank; ${rows.length}, ${of("blank")} were sent`,
    );
  const remarks = rows.reduce((sum, row) => sum + (row.says === "upsert" ? row.remarks : 0), 0);
  if (refused === 0 && counts.warnings !== remarks + superseded)
    faults.push(`counts ${counts.warnings} warnings, there are ${remarks + superseded}`);
  return faults;
}
