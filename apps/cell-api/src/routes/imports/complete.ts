import { completeInput, importJob } from "@proveniq/contracts";
import { readJson } from "../../http/json-body.ts";
import { validate } from "../../http/validate.ts";
import type { Route } from "../route.ts";
import { importerOf, importIdOf, importIdParameter, importPath, jobOf, laterHeaders } from "./shared.ts";

const mediaTypes = ["application/json"];

export const completeImport: Route = {
  method: "post",
  path: `${importPath}/complete`,
  scope: "tenant",
  service: "bulk",
  tag: "Imports",
  operationId: "completeImport",
  summary: "Say that all chunks were sent",
  description:
    "The totals must match what arrived. Then the file as a whole is compared with the book, what would happen is counted " +
    "exactly, and written as applying its rows in their order would have it. With `preview` it is only counted. Imports of one tenant " +
    "take their turns in the order in which they were completed. 202 means that this goes on: send the same again after Retry-After.",
  parameters: [importIdParameter],
  body: { schema: completeInput, mediaTypes },
  answers: {
    200: { description: "The import is completed, or, with preview, counted", schema: importJob },
    202: { description: "It goes on: send it again", schema: importJob, headers: ["Retry-After"] },
  },
  problems: [
    "imports-paused",
    "invalid-request",
    "invalid-json",
    "not-found",
    "import-closed",
    "import-incomplete",
    "too-many-deletes",
    "payload-too-large",
    "unsupported-media-type",
  ],
  async handle(c, deps) {
    const { db } = c.var.tenant;
    const id = importIdOf(c);
    const importer = importerOf(deps);
    await importer.admit();
    const input = validate(completeInput, (await readJson(c.req.raw, mediaTypes)).value, "request");
    const { answer, retryAfterSeconds } = await importer.complete(db, id, input);
    const job = await jobOf(db, answer, deps);
    if (retryAfterSeconds === undefined) return c.json(job);
    return c.json(job, 202, laterHeaders(db, importer, retryAfterSeconds));
  },
};
