import type { IncomingMessage } from "node:http";

/** Headers that say where a request ends and whom it is for: two of them could be read in two ways. */
const once: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding", "authorization"]);

/** Why two servers could read this head in two ways, as the router says it; undefined when they cannot. */
export function headFault({ rawHeaders, httpVersionMinor }: IncomingMessage): string | undefined {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    if (!once.has(name)) continue;
    if (seen.has(name)) return `The header ${name} is given twice.`;
    seen.add(name);
    if (name !== "transfer-encoding") continue;
    if (httpVersionMinor === 0) return "HTTP/1.0 knows no Transfer-Encoding.";
    if ((rawHeaders[i + 1] ?? "").toLowerCase() !== "chunked") return "Transfer-Encoding must be chunked.";
  }
  if (seen.has("transfer-encoding") && seen.has("content-length"))
    return "A request has a Content-Length or a Transfer-Encoding, not both.";
  return undefined;
}
