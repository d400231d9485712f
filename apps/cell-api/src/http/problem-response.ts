import { type Problem, ProblemError, problemContentType, randomHex } from "@proveniq/contracts";

/** A problem document as an answer. */
export function problemResponse(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...headers, "content-type": problemContentType },
  });
}

/**
 * Any thrown value as the answer a client may see, with the id of the request's trace. What is not a ProblemError says
 * nothing of itself.
 */
export function responseTo(error: unknown, traceId = randomHex(16)): Response {
  const known = error instanceof ProblemError ? error : new ProblemError("internal-error");
  return problemResponse(known.toProblem(traceId), known.headers);
}
