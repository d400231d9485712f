import { createHash } from "node:crypto";
import { importId, importPage, ProblemError } from "@proveniq/contracts";
import type { ImportPosition } from "@proveniq/db/tenant";
import { z } from "zod";
import { queryOf, validate } from "../../http/validate.ts";
import type { Route } from "../route.ts";
import { jobOf } from "./shared.ts";

const pageSize = 20;
const listQuery = z.strictObject({ cursor: z.string().max(200).optional() });
const position = z.strictObject({ id: importId, createdAtMs: z.int().min(0).max(253_402_300_799_999) });
const bindingLength = 22;

export const listImports: Route = {
  method: "get",
  path: "/imports",
  scope: "tenant",
  service: "bulk",
  tag: "Imports",
  operationId: "listImports",
  summary: "List imports",
  description: `Newest first, ${pageSize} in a page. An import and its report are kept for 90 days.`,
  parameters: [
    { name: "cursor", in: "query", description: "nextCursor of the page before", schema: z.string() },
  ],
  answers: { 200: { description: "A page; nextCursor is absent on the last one", schema: importPage } },
  problems: ["invalid-request", "invalid-cursor"],
  async handle(c, deps) {
    const { db } = c.var.tenant;
    const { tenantId } = db.binding;
    const { cursor } = validate(listQuery, queryOf(c.req.url), "query");
    const after = cursor === undefined ? undefined : decode(cursor, tenantId);
    const { records, next } = await db.imports.list(pageSize, after);
    const imports = await Promise.all(records.map((record) => jobOf(db, record, deps)));
    return c.json({ imports, ...(next === undefined ? {} : { nextCursor: encode(next, tenantId) }) });
  },
};

function encode({ id, createdAtMs }: ImportPosition, tenantId: string): string {
  const body = Buffer.from(JSON.stringify({ id, createdAtMs })).toString("base64url");
  return body + binding(body, tenantId);
}

function decode(cursor: string, tenantId: string): ImportPosition {
  const body = cursor.slice(0, -bindingLength);
  if (cursor.slice(-bindingLength) === binding(body, tenantId)) {
    const parsed = position.safeParse(jsonOf(body));
    if (parsed.success) return parsed.data;
  }
  throw new ProblemError(
    "invalid-cursor",
    "Use the nextCursor of the page before, or start again without one.",
  );
}

/** What a cursor holds. Its tie is no secret: anybody can make one that fits and holds anything. */
function jsonOf(body: string): unknown {
  try {
    return JSON.parse(Buffer.from(body, "base64url").toString());
  } catch {
    return undefined;
  }
}

/** Ties a cursor to the list of imports of one tenant. */
function binding(body: string, tenantId: string): string {
  const digest = createHash("sha256").update(`imports ${tenantId} ${body}`).digest();
  return digest.subarray(0, 16).toString("base64url");
}
