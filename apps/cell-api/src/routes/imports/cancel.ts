import { importJob } from "@proveniq/contracts";
import type { Route } from "../route.ts";
import { importIdOf, importIdParameter, importPath, jobOf } from "./shared.ts";

export const cancelImport: Route = {
  method: "delete",
  path: importPath,
  scope: "tenant",
  service: "bulk",
  tag: "Imports",
  operationId: "cancelImport",
  summary: "Cancel an import",
  description:
    "Before it writes it leaves nothing behind. What it wrote until then stays, unless it is undone, and so does its report.",
  parameters: [importIdParameter],
  answers: { 200: { description: "It is cancelled", schema: importJob } },
  problems: ["not-found", "import-closed"],
  async handle(c, deps) {
    const { db } = c.var.tenant;
    return c.json(await jobOf(db, await db.imports.cancel(importIdOf(c)), deps));
  },
};
