import { access, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import {
  faultsOf,
  type ImportInput,
  type ImportMapping,
  importInput,
  importLimits,
  importMapping,
  importWarnings,
  messageOf,
  parseFile,
} from "@proveniq/contracts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { confirmYes } from "../cli/confirm.ts";
import { CommandError } from "../cli/errors.ts";
import { command, shapes, wholeNumber } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { draftMapping } from "../imports/draft.ts";
import type { SeenJob } from "../imports/job.ts";
import { planText } from "../imports/plan.ts";
import { firstRecords, previewRows, previewText } from "../imports/preview.ts";
import type { ProgressOutput } from "../imports/progress.ts";
import { runImport } from "../imports/run.ts";
import { formatOf, openSource, type SourceFile } from "../imports/source.ts";
import { whereTo } from "../imports/where.ts";
import { type Output, report } from "../output/print.ts";
import { undoCommand } from "./import-undo.ts";

interface ImportOptions {
  tenant?: string;
  map?: string;
  init?: boolean;
  sample?: number;
  preview?: boolean;
  yes?: boolean;
  undo: boolean;
  dryRun?: boolean;
  source?: string;
  full?: boolean;
  format?: "csv" | "ndjson";
  delimiter?: "," | ";" | "\t" | "|";
  encoding: string;
  maxErrors?: number;
  maxDeletePercent?: number;
  confirmDeletes?: number;
  parallel: number;
  errors?: string;
  fresh?: boolean;
  url?: string;
  key?: string;
  keyFile?: string;
  patience: number;
  json?: boolean;
}

/** `fleet import`: a partner's file into its tenant, over the import API. */
export function importCommand(
  output: Output,
  where: Where,
  progress: ProgressOutput = stderrProgress(),
): Command {
  return command("import", "import a CSV or NDJSON file into a tenant's book", [
    "fleet import book.csv --init --map mapping.json      draft a mapping from the file",
    "fleet import book.csv --map mapping.json --sample 20",
    "fleet import book.csv --tenant carrier-a --map mapping.json --full --preview",
    "fleet import book.csv --tenant carrier-a --map mapping.json --full",
    "fleet import examples/data/diamonds.csv --tenant carrier-a --map examples/import/diamonds.json",
  ])
    .argument("<file>", "the file; .ndjson and .jsonl are NDJSON, anything else CSV")
    .option("--tenant <tenant>", "whose book")
    .option("--map <mapping.json>", "which column becomes which field (NDJSON: may be left out)")
    .option("--init", "draft the mapping from the header and some rows, and stop")
    .option(
      "--sample <rows>",
      "show the first rows as they would go in, and stop; sends nothing",
      wholeNumber("a number", 1, 1000),
    )
    .option("--dry-run", "send and check every row, write none")
    .option(
      "--preview",
      "send and check every row, show what would change, and ask before anything is written",
    )
    .option("-y, --yes", "with --preview: go on without asking")
    .option("--no-undo", "keep nothing to undo it with: a little faster")
    .option("--source <name>", "the feed it comes from (default: the file's name)")
    .option("--full", "the file is the whole of its source: delete what it does not name")
    .addOption(new Option("--format <format>", "default: by the file's name").choices(["csv", "ndjson"]))
    .option(
      "--delimiter <delimiter>",
      "comma, semicolon, tab or pipe (default: what the header has most of)",
      delimiter,
    )
    .option("--encoding <name>", "such as windows-1252 or utf-16le", "utf-8")
    .option(
      "--max-errors <rows>",
      "stop when more rows are refused (default: 1000)",
      wholeNumber("a number", 0, 10_000),
    )
    .option(
      "--max-delete-percent <percent>",
      "ask before deleting more (default: 10)",
      wholeNumber("a percentage", 0, 100),
    )
    .option("--confirm-deletes <rows>", "yes, delete so many", wholeNumber("a number", 1, 1_000_000_000))
    .option("--parallel <chunks>", "chunks under way at once (default: 8)", wholeNumber("a number", 1, 16), 8)
    .option("--errors <file>", "where refused rows go (default: FILE.errors.csv)")
    .option("--fresh", "give up an import of this file that was begun before")
    .option("--url <url>", "router to send it to (default: the fleet that runs here)")
    .option(
      "--key-file <file>",
      "holds an API key with the scope imports; - reads standard input (default: PROVENIQ_KEY, or the local fleet's)",
    )
    .option("--key <key>", "the key itself; seen by everybody who can list this machine's processes")
    .option(
      "--patience <minutes>",
      "keep trying so long without an answer (default: 10)",
      wholeNumber("minutes", 1, 1440),
      10,
    )
    .addHelpText(
      "after",
      "\nA run that was killed goes on where it was: start it again in the same way. What it knows is in FILE.import.",
    )
    .addHelpText(
      "after",
      shapes('{"import": {id, state, counts, summary, …}, "rowsPerSecond": n, "errorsFile": "…"}'),
    )
    .action(async (file: string, options: ImportOptions) => {
      const format = options.format ?? (/\.(ndjson|jsonl)$/i.test(file) ? "ndjson" : "csv");
      const { delimiter: asked, encoding } = options;
      const source = await openSource(file, {
        format,
        encoding,
        ...(asked === undefined ? {} : { delimiter: asked }),
      });
      if (options.init === true) return init(output, source, options);
      const mapping = await mappingOf(options.map, format);
      const input = inputOf(source, mapping, await expectedRows(source), options);
      for (const warning of importWarnings(input)) output.err(`warning: ${warning}`);
      if (options.sample !== undefined) {
        const rows = await previewRows(source, input, options.sample);
        return report(output, options.json, { rows }, () => previewText(rows));
      }
      if (options.tenant === undefined) throw new CommandError("Name the tenant: --tenant carrier-a.");
      const { tenant } = options;
      const change = { what: `Import ${file} into the book of tenant ${tenant}`, name: tenant };
      const { url, key } = await whereTo(
        where,
        options,
        tenant,
        options.dryRun === true ? undefined : change,
        (sentence) => output.err(`warning: ${sentence}`),
      );
      const result = await runImport(source, {
        url,
        key,
        tenant,
        input,
        parallel: options.parallel,
        ...(options.confirmDeletes === undefined ? {} : { confirmDeletes: options.confirmDeletes }),
        errorsFile: options.errors ?? `${file}.errors.csv`,
        fresh: options.fresh === true,
        ...(options.preview === true ? { preview: asker(output, options) } : {}),
        patienceMs: options.patience * 60_000,
        output: options.json === true && !progress.isTerminal ? undefined : progress,
      });
      report(output, options.json, result, () =>
        [
          ...(result.import.state === "open" ? [] : [result.import.summary]),
          ...endOf(result.import, options),
          ...(result.errorsFile === undefined
            ? []
            : [`Refused rows are in ${result.errorsFile}: mend them there and import that file.`]),
          `Import ${result.import.id}, ${result.rowsPerSecond.toLocaleString("en-US")} rows/s.`,
        ].join("\n"),
      );
    })
    .addCommand(undoCommand(output, where, progress));
}

/** Show what an import would do, and ask whether it shall. Without a terminal, and with --json, nobody is asked: it stays open. */
function asker(output: Output, { yes, json }: ImportOptions) {
  return async (job: SeenJob): Promise<"write" | "keep" | "drop"> => {
    if (json !== true) output.err(planText(job));
    if (yes === true) return "write";
    if (json === true || !process.stdin.isTTY) return "keep";
    return (await confirmYes("Write this?")) ? "write" : "drop";
  };
}

/** How it ended, where its counts do not say so. */
function endOf({ id, state, undo }: SeenJob, { tenant }: ImportOptions): string[] {
  if (state === "open")
    return [
      "Nothing is written yet. The same command without --preview writes it, or with --preview --yes; --fresh gives it up.",
    ];
  if (state === "cancelled") return ["Given up: nothing was written."];
  if (undo?.state !== "possible") return [];
  const until = undo.until === undefined ? "" : ` (until ${undo.until.slice(0, 10)})`;
  return [`To put everything back: npx fleet import undo ${id} --tenant ${tenant}${until}.`];
}

function delimiter(text: string): string {
  const names: Record<string, string> = { comma: ",", semicolon: ";", tab: "\t", pipe: "|", "\\t": "\t" };
  const found = names[text] ?? text;
  if ([",", ";", "\t", "|"].includes(found)) return found;
  throw new InvalidArgumentError("It must be comma, semicolon, tab or pipe.");
}

async function mappingOf(
  file: string | undefined,
  format: "csv" | "ndjson",
): Promise<ImportMapping | undefined> {
  if (file === undefined) {
    if (format === "ndjson") return undefined;
    throw new CommandError("A CSV file needs --map mapping.json; --init drafts one.");
  }
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) throw new CommandError(`There is no file ${file}; --init drafts one.`);
  try {
    return parseFile(importMapping, file, text);
  } catch (error) {
    throw new CommandError(messageOf(error));
  }
}

/** Records that are looked at to tell how many there are. */
const counted = 500;

/** About how many rows a large file has; undefined for a small one. */
async function expectedRows(source: SourceFile): Promise<number | undefined> {
  const { length } = await firstRecords(source, counted);
  return length < source.bytes / 2 ? Math.round((counted * source.bytes) / length) : undefined;
}

function inputOf(
  source: SourceFile,
  mapping: ImportMapping | undefined,
  expected: number | undefined,
  options: ImportOptions,
): ImportInput {
  const name = basename(source.path);
  const parsed = importInput.safeParse({
    source: options.source ?? sourceName(name),
    fileName: name,
    format: formatOf(source),
    mapping,
    dryRun: options.dryRun === true,
    scope: options.full === true ? "full" : "partial",
    ...(options.undo ? {} : { undo: false }),
    maxErrors: options.maxErrors,
    maxDeletePercent: options.maxDeletePercent,
    expectedRows: expected,
  });
  if (parsed.success) return parsed.data;
  const faults = faultsOf(parsed.error).map((f) => `  ${f.path}: ${f.message}`);
  throw new CommandError(`The import is not valid:\n${faults.join("\n")}`);
}

/** `Book 2026.csv` → `book-2026`. */
function sourceName(file: string): string {
  const slug = file
    .replace(/\.[^.]*$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/^-+|-+$/g, "");
  return slug === "" ? "book" : slug;
}

async function init(output: Output, source: SourceFile, options: ImportOptions): Promise<void> {
  if (source.csv === undefined)
    throw new CommandError("NDJSON lines may be items as they are; --init drafts from a CSV header.");
  const { csv } = source;
  const lines = await previewCells(source);
  const { mapping, remarks } = draftMapping(csv.columns, lines);
  const text = `${JSON.stringify(mapping, null, 2)}\n`;
  if (options.map !== undefined) {
    if (await exists(options.map))
      throw new CommandError(`${options.map} is there already; name another file.`);
    await writeFile(options.map, text);
  }
  report(output, options.json, { mapping, remarks }, () =>
    options.map === undefined
      ? text.trimEnd()
      : `Drafted ${options.map}. Look through it, then: --sample 20.`,
  );
  if (options.json !== true) for (const remark of remarks) output.err(`check: ${remark}`);
}

/** So many of the first rows are looked at for a draft: an id that repeats does so among them. */
const draftRows = importLimits.chunkRows;

/** The cells of the first rows, as they are. */
async function previewCells(source: SourceFile): Promise<string[][]> {
  if (source.csv === undefined) return [];
  const { chunkReader } = await import("@proveniq/rows");
  const any = importInput.parse({
    source: "draft",
    format: formatOf(source),
    mapping: {
      fields: { externalId: { constant: "x" }, title: { constant: "x" }, category: { constant: "other" } },
    },
  });
  const chunk = chunkReader(any)(await firstRecords(source, draftRows), 1);
  return chunk.read(0, chunk.rows, 1).flatMap((row) => (row.cells === undefined ? [] : [row.cells]));
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function stderrProgress(): ProgressOutput {
  return { isTerminal: process.stderr.isTTY, write: (text) => void process.stderr.write(text) };
}
