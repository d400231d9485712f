import type { ProblemCode } from "@proveniq/contracts";

/** What Node's `clientError` means: the client went away, or what it sent is refused with this problem. */
export type ClientError = { kind: "gone" } | { kind: "problem"; problem: ProblemCode; detail: string };

const gone: ClientError = { kind: "gone" };

/** Read the error of a `clientError` event. Codes that begin with HPE_ are the parser's. */
export function readClientError(error: NodeJS.ErrnoException): ClientError {
  const { code = "" } = error;
  if (code === "HPE_HEADER_OVERFLOW")
    return refused("headers-too-large", "The request's headers may have 16 KiB in all.");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return refused("request-timeout", "The request took too long to arrive.");
  // The client closed its side in the middle of a message.
  if (!code.startsWith("HPE_") || code === "HPE_INVALID_EOF_STATE") return gone;
  return refused("invalid-request", "This is not a valid HTTP/1.1 request.");
}

function refused(problem: ProblemCode, detail: string): ClientError {
  return { kind: "problem", problem, detail };
}
