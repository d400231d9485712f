import { type ProblemCode, problem, problemContentType, problems, tenantId } from "@proveniq/contracts";
import { z } from "zod";
import { pathsOf } from "../routes/index.ts";
import { type Answer, frontProblems, type Parameter, type Route, tenantProblems } from "../routes/route.ts";
import { type Form, SchemaCollector } from "./schemas.ts";
import type { OpenApiDocument, OperationObject, ParameterObject, ResponseObject } from "./types.ts";

const answerHeaders: Record<string, string> = {
  ETag: "Version of the item; send it back in If-Match to change only what you have seen",
  Location: "Path of the new item",
  "Market-Sequence":
    "The newest change page of market values that this cell has applied; absent when it cannot tell",
  "Market-Age": "Seconds since this cell's market values were last known to equal the published ones",
  "Retry-After": "Seconds to wait before the same is sent again",
  RateLimit: "What is left of the quota, and for how many seconds (RateLimit header fields for HTTP)",
  "RateLimit-Policy": "The quota: how many in how many seconds",
  "WWW-Authenticate": "`Bearer`",
  "Idempotency-Replayed": "`true` when this is the answer to an earlier request with the same key",
};

/** What problems of a status carry beside their body. */
const problemHeaders: Readonly<Record<number, readonly string[]>> = {
  401: ["WWW-Authenticate"],
  429: ["Retry-After", "RateLimit", "RateLimit-Policy"],
  503: ["Retry-After"],
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
      license: { name: "Proprietary", identifier: "LicenseRef-Proveniq" },
    },
    servers: [{ url: "/", description: "Whichever host of yours answered with this document" }],
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
            content: contentOf(route.body.mediaTypes, route.body.schema, schemas, "input"),
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
    responses: responsesOf(route, inPath, schemas),
  };
}

function parameterObject(p: Parameter, schemas: SchemaCollector): ParameterObject {
  return {
    name: p.name,
    in: p.in,
    required: p.in === "path" || p.required === true,
    description: p.description,
    schema: schemas.reference(p.schema, "input"),
  };
}

function responsesOf(
  route: Route,
  inPath: boolean,
  schemas: SchemaCollector,
): Record<string, ResponseObject> {
  const responses: Record<string, ResponseObject> = {};
  for (const [status, answer] of Object.entries(route.answers)) {
    const { description, schema, contentType = "application/json" } = answer;
    const content =
      schema === undefined && answer.contentType === undefined
        ? {}
        : { content: contentOf([contentType], schema ?? z.string(), schemas, "output") };
    responses[status] = {
      description,
      ...headersOf(answer.headers ?? []),
      ...content,
      ...linksOf(answer.next, inPath),
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
      ...headersOf([...Object.keys(before?.headers ?? {}), ...(problemHeaders[status] ?? [])]),
      description: before === undefined ? line : `${before.description} ${line}`,
      content: { ...before?.content, ...contentOf([problemContentType], problem, schemas, "output") },
    };
  }
  return responses;
}

/** What can be done with the id that an answer gives. */
function linksOf(next: Answer["next"], inPath: boolean): Pick<ResponseObject, "links"> {
  if (next === undefined) return {};
  const tenant = inPath ? { tenant: "$request.path.tenant" } : {};
  const parameters = { ...tenant, [next.parameter]: "$response.body#/id" };
  const links = next.operations.map((id) => {
    const operationId = inPath ? `${id}OfTenant` : id;
    return [operationId, { operationId, parameters }];
  });
  return { links: Object.fromEntries(links) };
}

/** Described headers; none are an empty object, so that nothing is said. */
function headersOf(names: readonly string[]): Pick<ResponseObject, "headers"> {
  if (names.length === 0) return {};
  const described = [...new Set(names)].map((name) => [
    name,
    { description: answerHeaders[name] ?? "", schema: { type: "string" } },
  ]);
  return { headers: Object.fromEntries(described) };
}

function contentOf(mediaTypes: readonly string[], schema: z.ZodType, schemas: SchemaCollector, io: Form) {
  const packed = { type: "string", format: "binary" };
  return Object.fromEntries(
    mediaTypes.map((type) => [
      type,
      { schema: type === "application/gzip" ? packed : schemas.reference(schema, io) },
    ]),
  );
}
