import { importJob } from "@proveniq/contracts";
import { undoRowReports } from "../../imports/report.ts";
import type { Route } from "../route.ts";
import { importerOf, importIdOf, importIdParameter, importPath, jobOf, laterHeaders } from "./shared.ts";

const common = { scope: "tenant", service: "bulk", tag: "Imports", parameters: [importIdParameter] } as const;

export const undoImport: Route = {
  ...common,
  method: "post",
  path: `${importPath}/undo`,
  operationId: "undoImport",
  summary: "Undo an import",
  description:
    "What it created is deleted, what it changed or deleted is as it was before, wherever nobody has changed it since. For 14 days " +
    "after its end, also when it was cancelled half way. 202 means that this goes on: send it again after Retry-After.",
  answers: {
    200: { description: "It is undone; `undo` says how many things were put back", schema: importJob },
    202: { description: "It goes on: send it again", schema: importJob, headers: ["Retry-After"] },
  },
  problems: ["imports-paused", "not-found", "undo-impossible"],
  async handle(c, deps) {
    const { db } = c.var.tenant;
    const importer = importerOf(deps);
    await importer.admit();
    const { answer, retryAfterSeconds } = await importer.undo(db, importIdOf(c));
    const job = await jobOf(db, answer, deps);
    if (retryAfterSeconds === undefined) return c.json(job);
    return c.json(job, 202, laterHeaders(db, importer, retryAfterSeconds));
  },
};

export const getUndoNdjson: Route = {
  ...common,
  method: "get",
  path: `${importPath}/undo.ndjson`,
  operationId: "getImportUndoNdjson",
  summary: "Get what undoing left as it was",
  description: "One ImportUndoReport a line: a thing that somebody had changed since.",
  answers: { 200: { description: "What was left", contentType: "application/x-ndjson" } },
  problems: ["not-found"],
  handle: (c) => undoRowReports(c.var.tenant.db, importIdOf(c)),
};
