import { type ServerResponse, STATUS_CODES } from "node:http";
import {
  exposedHeaders,
  headers,
  makeProblem,
  type ProblemCode,
  problemContentType,
  type TraceParent,
  writeTraceparent,
} from "@proveniq/contracts";

/** What every answer says about its request. */
export interface AnswerIds {
  requestId: string;
  trace: TraceParent;
}

/** Seconds after which it is worth asking again, for problems that pass. */
const retryAfter: Partial<Record<ProblemCode, string>> = {
  "directory-unavailable": "2",
  "cell-unreachable": "2",
  "cell-busy": "1",
};

/** What every problem carries. It holds nothing of anybody's, so every page may learn from it what went wrong. */
const standing: readonly string[] = [
  "cache-control",
  "private, no-store",
  "x-content-type-options",
  "nosniff",
  "access-control-allow-origin",
  "*",
  "access-control-expose-headers",
  exposedHeaders,
];

/** A problem and what its answer says besides. */
export interface ProblemAnswer extends AnswerIds {
  /** The methods that there are: to go with `method-not-allowed` (RFC 9110, 15.5.6). */
  allow?: string | undefined;
}

/** A problem as names and values of headers in turn, and a body. `close`: the connection ends with it. */
function write(
  problem: ProblemCode,
  detail: string,
  { requestId, trace, allow }: ProblemAnswer,
  close: boolean,
) {
  const document = makeProblem(problem, trace.traceId, detail);
  const body = Buffer.from(JSON.stringify(document));
  const head = ["content-type", problemContentType, "content-length", String(body.length), ...standing];
  head.push(headers.requestId, requestId, headers.traceresponse, writeTraceparent(trace));
  const wait = retryAfter[problem];
  if (wait !== undefined) head.push("retry-after", wait);
  if (allow !== undefined) head.push("allow", allow);
  if (close) head.push("connection", "close");
  return { status: document.status, head, body };
}

/** Answer with a problem. `close` tells the client that the connection ends here. Gives the status. */
export function answerProblem(
  res: ServerResponse,
  problem: ProblemCode,
  detail: string,
  more: ProblemAnswer & { close: boolean },
): number {
  const { status, head, body } = write(problem, detail, more, more.close);
  res.writeHead(status, head);
  res.end(body);
  return status;
}

/** The same as text for a bare socket, where HTTP has not got as far as a request: see `Sockets.refuse`. */
export function problemText(
  problem: ProblemCode,
  detail: string,
  ids: ProblemAnswer,
): { status: number; text: string } {
  const { status, head, body } = write(problem, detail, ids, true);
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}\r\n`;
  for (let i = 0; i < head.length; i += 2) text += `${head[i]}: ${head[i + 1]}\r\n`;
  return { status, text: `${text}\r\n${body.toString("latin1")}` };
}
