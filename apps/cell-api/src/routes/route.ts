import type { ProblemCode } from "@proveniq/contracts";
import type { RequestQuota } from "@proveniq/tenant-context/quota";
import type { Context } from "hono";
import type { z } from "zod";
import type { OperationId } from "../access/policy.ts";
import type { AppEnv, CellInfo } from "../deps.ts";
import type { Importer } from "../imports/importer.ts";
import type { Portfolios } from "../portfolio/portfolios.ts";
import type { Readiness } from "../readiness.ts";
import type { MarketValues } from "../valuation/valued.ts";

/** What handlers may use besides their request's context. */
export interface RouteDeps {
  cell: CellInfo;
  /** Milliseconds since 1970. */
  now: () => number;
  quota: RequestQuota;
  market: MarketValues;
  portfolios: Portfolios;
  importer: Importer | undefined;
  readiness: () => Promise<Readiness>;
  /** The OpenAPI document as JSON, and as a page to read. */
  documents: () => Promise<{ json: string; page: string }>;
}

/** A parameter as the OpenAPI document shows it. */
export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  description: string;
  schema: z.ZodType;
  /** Those in the path always are. */
  required?: true;
}

/** One answer that is not a problem. */
export interface Answer {
  description: string;
  contentType?: string;
  schema?: z.ZodType;
  /** Names of headers of note; their descriptions are in openapi/document.ts. */
  headers?: readonly (
    | "ETag"
    | "Location"
    | "Idempotency-Replayed"
    | "Market-Age"
    | "Market-Sequence"
    | "Retry-After"
  )[];
  /** What can be done next with the id in the answer, and under which parameter that id is sent. */
  next?: { parameter: string; operations: readonly OperationId[] };
}

/**
 * One operation. `scope` says where it is served: `tenant` and `cell` under /v1 and /t/{tenant}/v1, the former with a
 * tenant's context; `process` at the root. The app and the OpenAPI document are both made from these.
 */
export interface Route {
  method: "get" | "post" | "put" | "patch" | "delete";
  /** Template such as /items/{itemId}. */
  path: string;
  scope: "tenant" | "cell" | "process";
  /** Tenants' routes: which service of the cell serves it; the interactive one unless told otherwise. */
  service?: "bulk";
  operationId: OperationId;
  /** The heading it is documented under; Items or Cell unless told otherwise. */
  tag?: string;
  summary: string;
  description?: string;
  parameters?: readonly Parameter[];
  /** Set for a POST that only reads: its parameters do not fit into a URL. */
  changesNothing?: true;
  body?: { schema: z.ZodType; mediaTypes: readonly string[] };
  answers: Readonly<Record<number, Answer>>;
  /** Problems of its own; those of every route, and of every tenant route, are added. */
  problems: readonly ProblemCode[];
  handle(c: Context<AppEnv>, deps: RouteDeps): Response | Promise<Response>;
}

/**
 * Problems that any route can answer before it is reached: the router's and those of the server in front. Which tenant is meant is
 * read for each of them, since it says which cell is asked.
 */
export const frontProblems: readonly ProblemCode[] = [
  "invalid-request",
  "invalid-tenant",
  "tenant-conflict",
  "request-timeout",
  "unsupported-media-type",
  "misdirected-request",
  "headers-too-large",
  "internal-error",
  "cell-unreachable",
  "directory-unavailable",
  "cell-timeout",
];

/** Problems that any route behind the tenant middleware can answer. */
export const tenantProblems: readonly ProblemCode[] = [
  "tenant-required",
  "unauthenticated",
  "forbidden",
  "too-many-requests",
  "identity-unavailable",
  "tenant-suspended",
  "tenant-paused",
  "database-unavailable",
];
