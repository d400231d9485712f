import { importRowReports } from "../../imports/report.ts";
import type { Route } from "../route.ts";
import { importIdOf, importIdParameter, importPath } from "./shared.ts";

const common = {
  method: "get",
  scope: "tenant",
  service: "bulk",
  tag: "Imports",
  parameters: [importIdParameter],
  problems: ["not-found"],
} as const;

export const getErrorsCsv: Route = {
  ...common,
  path: `${importPath}/errors.csv`,
  operationId: "getImportErrorsCsv",
  summary: "Get the refused rows as CSV",
  description:
    "The partner's own columns behind two of ours: mend the cells and import the file as it is. Cells that a spreadsheet " +
    "would run as formulas begin with an apostrophe, which importing takes away again.",
  answers: { 200: { description: "Refused rows", contentType: "text/csv" } },
  handle: (c) => importRowReports(c.var.tenant.db, importIdOf(c), "csv"),
};

export const getErrorsNdjson: Route = {
  ...common,
  path: `${importPath}/errors.ndjson`,
  operationId: "getImportErrorsNdjson",
  summary: "Get all faults and remarks",
  description: "One ImportRowReport a line, remarks about rows that went in included.",
  answers: { 200: { description: "The row report", contentType: "application/x-ndjson" } },
  handle: (c) => importRowReports(c.var.tenant.db, importIdOf(c), "ndjson"),
};
