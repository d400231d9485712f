import { type ImportFormat, type RowReport, reportColumns } from "@proveniq/contracts";
import { neutralised } from "./formulas.ts";

const bom = "\ufeff";

/**
 * The first line of a report as CSV: our two columns, then the partner's own, so that a mended report can be
 * imported again. The byte order mark keeps spreadsheets from reading it as Latin-1.
 */
export function csvReportHeader(format: ImportFormat): string {
  return `${bom}${line([reportColumns.row, reportColumns.fault, ...ownColumns(format)], delimiterOf(format))}`;
}

/** One row of the report as a line of CSV. A row that could not be split stands whole in the first own column. */
export function csvReportLine(report: RowReport, format: ImportFormat): string {
  const faults = report.notes.map((n) => `${n.column ?? n.field?.slice(1) ?? "row"}: ${n.message}`).join(" ");
  const columns = format.type === "csv" ? format.columns : [];
  const own = columns.flatMap((name, n) => (isOurs(name) ? [] : [report.cells?.[n] ?? ""]));
  if (report.cells === undefined) own.splice(0, 1, report.text ?? "");
  return line([String(numberOf(report, columns)), faults, ...own].map(neutralised), delimiterOf(format));
}

/** One row of the report as a line of NDJSON. */
export function jsonReportLine(report: RowReport): string {
  return `${JSON.stringify(report)}\n`;
}

/** A row of a mended report keeps the number of the file it came from. */
function numberOf(report: RowReport, columns: readonly string[]): number {
  const cell = report.cells?.[columns.indexOf(reportColumns.row)];
  return cell !== undefined && /^[1-9]\d{0,9}$/u.test(cell) ? Number(cell) : report.row;
}

function isOurs(name: string): boolean {
  return name === reportColumns.row || name === reportColumns.fault;
}

function ownColumns(format: ImportFormat): string[] {
  return format.type === "csv" ? format.columns.filter((name) => !isOurs(name)) : ["line"];
}

function delimiterOf(format: ImportFormat): string {
  return format.type === "csv" ? format.delimiter : ",";
}

function line(cells: readonly string[], delimiter: string): string {
  const quoted = cells.map((cell) =>
    /["\r\n]|^\s|\s$/u.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell,
  );
  return `${quoted.join(delimiter)}\r\n`;
}
