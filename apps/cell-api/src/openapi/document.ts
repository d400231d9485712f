import { type ProblemCode, problem, problemContentType, problems, tenantId } from "@proveniq/contracts";
import { z } from "zod";
import { pathsOf } from "../routes/index.ts";
import { frontProblems, type Parameter, type Route, tenantProblems } from "../routes/route.ts";
import { SchemaCollector } from "./schemas.ts";
import type { OpenApiDocument, OperationObject, ParameterObject, ResponseObject } from "./types.ts";

const answerHeaders: Record<string, string> = {
  ETag: "Version of the item; send it back in If-Match to change only what you have seen",
  Location: "Path of the new item",
  "Market-Sequence":
    "The newest change page of market values that this cell has applied; absent when it cannot tell",
  "Market-Age": "Seconds since this cell's market values were last known to equal the published ones",
  "Retry-After": "Seconds to wait",
  "Idempotency-Replayed": "`true` when this is the answer to an earlier request with the same key",
};

const tenantInPath: Parameter = { name: "tenant", in: "path", description: "The tenant", schema: tenantId };
const tenantInHeader: Parameter = {
  name: "X-Tenant-ID",
  in: "header",
  description: "The tenant, unless the host or the credential says it",
  schema: tenantId,
};

/** OpenAPI 3.1 from the routes and the contracts' schemas. */
export function buildDocument(routes: readonly Route[]): OpenApiDocument {
  const schemas = new SchemaCollector();
  const paths: OpenApiDocument["paths"] = {};
  for (const route of routes) {
    for (const path of pathsOf(route)) {
      paths[path] = { ...paths[path], [route.method]: operation(route, path, schemas) };
    }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Proveniq",
      version: "1",
      description:
        "Register things of value. Every error is a problem document (RFC 9457) whose `code` is from a closed list.",
    },
    paths,
    components: {
      schemas: schemas.components(),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "The credential of a person or a partner" },
      },
    },
  };
}

function operation(route: Route, path: string, schemas: SchemaCollector): OperationObject {
  const inPath = path.startsWith("/t/");
  const ofTenant = route.scope === "tenant";
  const tenant = inPath ? [tenantInPath] : ofTenant ? [tenantInHeader] : [];
  const all = [...tenant, ...(route.parameters ?? [])];
  const described = route.description === undefined ? {} : { description: route.description };
  const body =
    route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true as const,
            content: contentOf(route.body.mediaTypes, route.body.schema, schemas),
          },
        };
  return {
    operationId: inPath ? `${route.operationId}OfTenant` : route.operationId,
    summary: route.summary,
    ...described,
    tags: [route.tag ?? (ofTenant ? "Items" : "Cell")],
    security: ofTenant ? [{ bearer: [] }] : [],
    parameters: all.map((p) => parameterObject(p, schemas)),
    ...body,
    responses: responsesOf(route, schemas),
  };
}

function parameterObject(p: Parameter, schemas: SchemaCollector): ParameterObject {
  return {
    name: p.name,
    in: p.in,
    required: p.in === "path",
    description: p.description,
    schema: schemas.reference(p.schema),
  };
}

function responsesOf(route: Route, schemas: SchemaCollector): Record<string, ResponseObject> {
  const responses: Record<string, ResponseObject> = {};
  for (const [status, answer] of Object.entries(route.answers)) {
    const { description, schema, contentType = "application/json" } = answer;
    const headers = (answer.headers ?? []).map((name) => [
      name,
      { description: answerHeaders[name] ?? "", schema: { type: "string" } },
    ]);
    const content =
      schema === undefined && answer.contentType === undefined
        ? {}
        : { content: contentOf([contentType], schema ?? z.string(), schemas) };
    responses[status] = {
      description,
      ...(headers.length > 0 ? { headers: Object.fromEntries(headers) } : {}),
      ...content,
    };
  }
  const codes: ProblemCode[] = [
    ...route.problems,
    ...(route.scope === "tenant" ? tenantProblems : []),
    ...frontProblems,
  ];
  for (const code of new Set(codes)) {
    const { status, title } = problems[code];
    const line = `\`${code}\`: ${title}.`;
    const before = responses[status];
    responses[status] = {
      ...before,
      description: before === undefined ? line : `${before.description} ${line}`,
      content: { ...before?.content, ...contentOf([problemContentType], problem, schemas) },
    };
  }
  return responses;
}

function contentOf(mediaTypes: readonly string[], schema: z.ZodType, schemas: SchemaCollector) {
  return Object.fromEntries(mediaTypes.map((type) => [type, { schema: schemas.reference(schema) }]));
}
