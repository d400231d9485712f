import { headers } from "@proveniq/contracts";
import type { Trace } from "@proveniq/http-edge";
import type { Decision } from "../decide/index.ts";
import type { RequestHead } from "../request-head.ts";
import type { Proofs } from "./proofs.ts";

export type Route = Extract<Decision, { kind: "route" }>;

/** What a cell is told besides the client's own headers. */
export interface Told {
  method: string;
  requestId: string;
  trace: Trace;
  proofs: Proofs | undefined;
}

/** The head of a request as it goes to a cell's `origin`, without the lines that frame its body. */
export function cellHead(route: Route, head: RequestHead, origin: string, told: Told): string {
  const { tracestate, traceparent } = told.trace;
  const host = origin.slice(origin.indexOf("//") + 2);
  let text = `${told.method} ${head.target} HTTP/1.1\r\nhost: ${host}\r\n`;
  text += told.proofs?.line(route.cell.residency, host, head.target) ?? "";
  text += `${head.passed}${headers.tenant}: ${route.tenantId}\r\n${headers.host}: ${route.host}\r\n`;
  if (route.epoch > 0) text += `${headers.epoch}: ${route.epoch}\r\n`;
  text += `${headers.requestId}: ${told.requestId}\r\n${headers.traceparent}: ${traceparent}\r\n`;
  if (tracestate !== undefined) text += `${headers.tracestate}: ${tracestate}\r\n`;
  return text;
}
