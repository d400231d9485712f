import { chunkAnswer, chunkMediaTypes, importLimits, ProblemError } from "@proveniq/contracts";
import { z } from "zod";
import { queryOf, validate } from "../../http/validate.ts";
import { readChunkBody } from "../../imports/body.ts";
import type { Route } from "../route.ts";
import { importerOf, importIdOf, importIdParameter, importPath } from "./shared.ts";

const rowMessage = "must be the number of the chunk's first row in the file, from 1";
const chunkQuery = z.strictObject({
  firstRow: z
    .string({ error: rowMessage })
    .regex(/^[1-9][0-9]{0,9}$/, rowMessage)
    .transform(Number),
});

export const putChunk: Route = {
  method: "put",
  path: `${importPath}/chunks/{chunk}`,
  scope: "tenant",
  service: "bulk",
  tag: "Imports",
  operationId: "putChunk",
  summary: "Send a chunk of an import",
  description:
    `At most ${importLimits.chunkBytes} bytes and ${importLimits.chunkRows} rows, in any order. Its rows are read, checked and kept; what they ask for ` +
    "happens when the import is completed. A chunk that is kept answers the same however often it is put.",
  parameters: [
    importIdParameter,
    {
      name: "chunk",
      in: "path",
      description: "The chunk's number, from 1 without gaps",
      schema: z.int().min(1).max(importLimits.chunks),
    },
    {
      name: "firstRow",
      in: "query",
      description: "Number in the file of its first row, from 1",
      schema: z.int().min(1).max(9_999_999_999),
      required: true,
    },
    {
      name: "Content-Digest",
      in: "header",
      description: "sha-256=:BASE64: of the body as sent (RFC 9530)",
      schema: z.string().regex(/^sha-256=:[A-Za-z0-9+/]{43}=:$/),
      required: true,
    },
  ],
  body: { schema: z.string(), mediaTypes: chunkMediaTypes },
  answers: {
    200: { description: "It is read and kept. Nothing is written before complete", schema: chunkAnswer },
  },
  problems: [
    "imports-paused",
    "invalid-request",
    "not-found",
    "import-closed",
    "chunk-conflict",
    "payload-too-large",
    "unsupported-media-type",
    "digest-mismatch",
    "invalid-chunk",
    "too-many-requests",
  ],
  async handle(c, deps) {
    const { db } = c.var.tenant;
    const importer = importerOf(deps);
    const id = importIdOf(c);
    const number = Number(c.req.param("chunk"));
    if (!/^[1-9][0-9]{0,4}$/.test(c.req.param("chunk") ?? "") || number > importLimits.chunks) {
      throw new ProblemError("invalid-request", "The chunk's number is not valid.", {
        errors: [{ path: "chunk", message: `must be a whole number from 1 to ${importLimits.chunks}` }],
      });
    }
    const { firstRow } = validate(chunkQuery, queryOf(c.req.url), "query");
    await importer.admit();
    const { input } = await importer.find(db, id);
    const body = await readChunkBody(c.req.raw, input.format.type);
    return c.json(await importer.put(db, id, number, firstRow, body));
  },
};
