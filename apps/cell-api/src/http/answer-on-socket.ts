import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { makeProblem, problemContentType } from "@proveniq/contracts";
import { idsOf, type Refusal } from "./listener.ts";

/** How long a client may take to read a refusal and hang up, in milliseconds. */
const lingerMs = 2_000;

/** An answer below Node's HTTP layer, for what never became a request. The connection ends with it. */
export function answerOnSocket(socket: Duplex, refusal: Refusal, detail?: string): void {
  const problem = makeProblem(refusal.code, refusal.traceId, detail);
  const body = JSON.stringify(problem);
  const ids = Object.entries(idsOf(refusal)).map((pair) => `${pair.join(": ")}\r\n`);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? "Error"}\r\n` +
      `content-type: ${problemContentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `cache-control: private, no-store\r\n${ids.join("")}connection: close\r\n\r\n${body}`,
  );
  // Nobody reads this connection any more. Unread bytes would hold it open, and so would a client that keeps it.
  socket.removeAllListeners("data");
  socket.resume();
  const late = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(late));
}
