import { importJob } from "@proveniq/contracts";
import type { Route } from "../route.ts";
import { importIdOf, importIdParameter, importPath, jobOf } from "./shared.ts";

export const getImport: Route = {
  method: "get",
  path: importPath,
  scope: "tenant",
  service: "bulk",
  tag: "Imports",
  operationId: "getImport",
  summary: "See how far an import is",
  parameters: [importIdParameter],
  answers: { 200: { description: "Counts, rate, and what is left", schema: importJob } },
  problems: ["not-found"],
  async handle(c, deps) {
    const { db } = c.var.tenant;
    return c.json(await jobOf(db, await db.imports.get(importIdOf(c)), deps));
  },
};
