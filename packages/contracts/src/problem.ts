import { z } from "zod";
import { traceId } from "./trace.ts";

/**
 * Every error that a client can meet: code → status and title. Closed: an answer outside this list is a bug.
 * docs/failure-modes.md has a heading for each.
 */
export const problems = {
  "invalid-request": { status: 400, title: "The request is not valid" },
  "invalid-json": { status: 400, title: "The body is not valid JSON" },
  "invalid-tenant": { status: 400, title: "The tenant id is malformed" },
  "tenant-required": { status: 400, title: "The request names no tenant" },
  "tenant-conflict": { status: 400, title: "The request names more than one tenant" },
  "invalid-cursor": { status: 400, title: "The cursor is not valid here" },
  unauthenticated: { status: 401, title: "A valid credential is needed" },
  forbidden: { status: 403, title: "The credential does not allow this" },
  "not-found": { status: 404, title: "Not found" },
  "method-not-allowed": { status: 405, title: "The resource does not support this method" },
  "request-timeout": { status: 408, title: "The request was too slow to arrive" },
  "already-exists": { status: 409, title: "It exists already" },
  "idempotency-conflict": { status: 409, title: "The Idempotency-Key was used for another request" },
  "chunk-conflict": { status: 409, title: "This chunk was sent with other bytes" },
  "import-closed": { status: 409, title: "The import takes no more" },
  "import-incomplete": { status: 409, title: "Parts of the import are missing" },
  "undo-impossible": { status: 409, title: "The import cannot be undone" },
  "too-many-deletes": { status: 409, title: "The import would delete too much" },
  "precondition-failed": { status: 412, title: "It was changed in the meantime" },
  "payload-too-large": { status: 413, title: "The body is too large" },
  "unsupported-media-type": { status: 415, title: "The media type is not supported" },
  "misdirected-request": { status: 421, title: "This host does not serve that tenant" },
  "digest-mismatch": { status: 422, title: "The body is not what its digest says" },
  "invalid-chunk": { status: 422, title: "The chunk cannot be read" },
  "too-many-requests": { status: 429, title: "Too many requests" },
  "headers-too-large": { status: 431, title: "The headers are too large" },
  "internal-error": { status: 500, title: "Something went wrong on our side" },
  "upgrade-refused": { status: 501, title: "Protocol upgrades are not supported" },
  "cell-unreachable": { status: 502, title: "The cell could not be reached" },
  "cell-busy": { status: 503, title: "The cell has too much to do for this tenant" },
  "cell-timeout": { status: 504, title: "The cell did not answer in time" },
  "directory-unavailable": { status: 503, title: "The service directory is unavailable" },
  "identity-unavailable": { status: 503, title: "The identity provider's keys are unavailable" },
  "database-unavailable": { status: 503, title: "The database is unavailable" },
  "imports-paused": { status: 503, title: "Imports are paused for a while" },
  "tenant-paused": { status: 503, title: "The tenant is paused for a moment" },
  "tenant-suspended": { status: 403, title: "The tenant is suspended" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;
export const problemCodes = Object.keys(problems) as [ProblemCode, ...ProblemCode[]];

/** RFC 9457 problem details. Media type application/problem+json. The request id travels in a header only. */
export const problem = z
  .strictObject({
    type: z.string().describe("https://proveniq.io/problems/<code>"),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: z.enum(problemCodes),
    traceId: traceId.describe("Finds what every process logged about this request; tell it to support"),
    detail: z.string().optional().describe("What is wrong here and what to do about it"),
    errors: z
      .array(
        z.strictObject({
          path: z.string().describe("JSON pointer into the body or the query, or the name of a header"),
          message: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof problem>;

export const problemContentType = "application/problem+json";

/** Build a problem document for the request of that trace. Only text made for clients may go in. */
export function makeProblem(
  code: ProblemCode,
  traceId: string,
  detail?: string,
  errors?: Problem["errors"],
): Problem {
  const { status, title } = problems[code];
  return {
    type: `https://proveniq.io/problems/${code}`,
    title,
    status,
    code,
    traceId,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
  };
}

/** An error whose answer is already known. Anything else that is thrown answers 500 and says nothing. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly errors: Problem["errors"];
  /** Headers the answer carries besides its body, such as Retry-After (seconds). */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail?: string,
    more: { errors?: Problem["errors"]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail === undefined ? code : `${code}: ${detail}`, { cause: more.cause });
    this.name = "ProblemError";
    this.code = code;
    this.detail = detail;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }

  toProblem(traceId: string): Problem {
    return makeProblem(this.code, traceId, this.detail, this.errors);
  }
}
