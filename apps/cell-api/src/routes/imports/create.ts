import { importInput, importJob, noCounts } from "@proveniq/contracts";
import { idempotencyOf, writeResponse } from "../../http/idempotency.ts";
import { readJson } from "../../http/json-body.ts";
import { validate } from "../../http/validate.ts";
import { presentImport } from "../../imports/present.ts";
import { idempotencyKeyParameter } from "../items/shared.ts";
import type { Route } from "../route.ts";
import { importerOf } from "./shared.ts";

const mediaTypes = ["application/json"];

export const createImport: Route = {
  method: "post",
  path: "/imports",
  scope: "tenant",
  service: "bulk",
  tag: "Imports",
  operationId: "createImport",
  summary: "Begin an import",
  description:
    "Then put its chunks, in any order and as often as needed, and complete it. The mapping says which column becomes " +
    "which field, and in which form numbers, amounts and days are written: nothing is guessed.",
  parameters: [idempotencyKeyParameter],
  body: { schema: importInput, mediaTypes },
  answers: {
    201: {
      description: "It is open",
      schema: importJob,
      headers: ["Location", "Idempotency-Replayed"],
      next: {
        parameter: "importId",
        operations: [
          "putChunk",
          "completeImport",
          "getImport",
          "cancelImport",
          "getImportErrorsCsv",
          "getImportErrorsNdjson",
          "undoImport",
          "getImportUndoNdjson",
        ],
      },
    },
  },
  problems: [
    "imports-paused",
    "invalid-request",
    "invalid-json",
    "idempotency-conflict",
    "payload-too-large",
    "unsupported-media-type",
    "too-many-requests",
  ],
  async handle(c, deps) {
    const { tenant } = c.var;
    await importerOf(deps).admit();
    const body = await readJson(c.req.raw, mediaTypes);
    const input = validate(importInput, body.value, "import");
    const { writesPerSecond, buckets } = importerOf(deps);
    const result = await tenant.db.imports.create(input, {
      idempotency: idempotencyOf(c, "POST /v1/imports", body.bytes),
      buckets,
      respond: (record) => {
        const nothing = { chunks: [], counts: { ...noCounts }, rampStartedAt: undefined };
        const job = presentImport(record, nothing, { writesPerSecond }, record.createdAt.getTime());
        return {
          status: 201,
          headers: { "content-type": "application/json", location: `${c.req.path}/${record.id}` },
          body: JSON.stringify(job),
        };
      },
    });
    return writeResponse(result);
  },
};
