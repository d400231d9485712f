import type { AnalyticsReport, QueryResult, Reconciled, Value } from "@proveniq/control-plane/analytics";
import { bar, grouped } from "./bars.ts";
import type { Palette } from "./colour.ts";
import { table } from "./table.ts";

const text = (value: Value | undefined): string =>
  value === null || value === undefined ? "-" : typeof value === "number" ? grouped(value) : String(value);

/** A query's result as a table; numbers to the right. */
export function resultTable({ columns, rows }: QueryResult): string {
  const cells = rows.map((row) => columns.map((_, n) => text(row[n])));
  const widths = columns.map((name, n) => Math.max(name.length, ...cells.map((row) => row[n]?.length ?? 0)));
  const right = columns.map((_, n) => rows.some((row) => typeof row[n] === "number"));
  const pad = (cell: string, n: number) => (right[n] === true ? cell.padStart(widths[n] ?? 0) : cell);
  return table([columns.map(pad), ...cells.map((row) => row.map(pad))]);
}

type Row = Record<string, Value>;

/** Rows with a bar for one of their figures. */
function barTable(
  rows: readonly Row[],
  labels: readonly string[],
  figure: string,
  more: readonly string[] = [],
): string {
  const largest = Math.max(0, ...rows.map((r) => Number(r[figure])));
  return table(
    rows.map((r) => [
      ...labels.map((label) => text(r[label])),
      text(r[figure]).padStart(grouped(largest).length),
      ...more.map((name) => text(r[name])),
      bar(Number(r[figure]), largest),
    ]),
    "  ",
  );
}

/** The global view for people. */
export function reportText(report: AnalyticsReport, paint: Palette): string {
  const part = (title: string, body: string) => [
    paint.bold(title),
    body === "" ? "  nothing was published yet" : body,
    "",
  ];
  const stock = report.stock.map((r) => ({
    ...r,
    within: within(r["items_error"]),
    worth:
      Number(r["value"]) > 0
        ? `≈ ${grouped(Number(r["value"]))} ± ${grouped(Number(r["value_error"]))} ${r["currency"]}`
        : "",
  }));
  const withError = (rows: AnalyticsReport["stock"], name: string) =>
    rows.map((r) => ({ ...r, within: within(r[name]) }));
  const coverage = report.coverage.map((r) => ({ ...r, covered: `${text(r["covered_percent"] ?? null)} %` }));
  return [
    ...part(
      "Items by region and category",
      barTable(stock, ["region", "category"], "items", ["within", "worth"]),
    ),
    ...part(
      "Items by category and insured value",
      barTable(withError(report.buckets, "items_error"), ["category", "currency", "price_bucket"], "items", [
        "within",
      ]),
    ),
    ...part(
      "People who changed something, by day",
      barTable(withError(report.flow, "error"), ["day", "region"], "actors", ["within"]),
    ),
    ...part(
      "Items that name a market value",
      barTable(coverage, ["region", "category"], "items", ["covered"]),
    ),
    ...part(
      "Of these, by an import",
      barTable(withError(report.imports, "error"), ["region"], "by_import", ["within"]),
    ),
    paint.bold("Cells"),
    table(
      report.cells.map((r) => [
        text(r["cell"] ?? null),
        text(r["region"] ?? null),
        `seen ${text(r["seen_at"] ?? null)}`,
        `lag ${text(r["lag_minutes"] ?? null)} min`,
      ]),
      "  ",
    ),
    "",
    paint.dim(
      "Each person counts once a day, with the first change. Figures have noise: 95 of 100 are within ± of the true sum.",
    ),
    paint.dim(
      "Groups with few people, or few without their largest tenant, are not in it. Values are estimates by price bucket.",
    ),
  ].join("\n");
}

const within = (error: Value | undefined): string => `± ${grouped(Number(error ?? 0))}`;

export function reconcileText(cells: readonly Reconciled[], paint: Palette): string {
  const rows = cells.map((c) => [
    c.cell,
    grouped(c.delivered),
    grouped(c.arrived),
    grouped(c.arrivedRows),
    grouped(c.waiting),
    String(c.setAside),
    [...c.faults, ...c.halted.map((why) => `stopped: ${why}`)].join("; ") || "equal",
  ]);
  const sound = cells.every((c) => c.faults.length === 0 && c.halted.length === 0);
  return [
    table([["CELL", "DELIVERED", "ARRIVED", "ROWS", "WAITING", "SET ASIDE", "VERDICT"], ...rows]),
    "",
    sound
      ? paint.green("Every delivered event is in the warehouse, once.")
      : paint.red("Not everything adds up: docs/analytics.md says what to do."),
  ].join("\n");
}
