import type { ServerResponse } from "node:http";
import { headers, preflightHeaders } from "@proveniq/contracts";

const all = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
const read = "GET, HEAD";

export function isHealth(target: string): boolean {
  return target === "/health" || target.startsWith("/health?");
}

/** What a request may use instead of its method, which the router itself refuses; undefined where it does not. */
export function allowedInstead(method: string, health: boolean): string | undefined {
  if (health) return method === "GET" || method === "HEAD" ? undefined : read;
  return method === "TRACE" ? all : undefined;
}

/** The router's own health, on any host. Gives the status. */
export function answerHealth(
  res: ServerResponse,
  state: { draining: boolean; directoryVersion: number; requestId: string },
): number {
  const status = state.draining ? "draining" : "alive";
  const body = JSON.stringify({ status, directoryVersion: state.directoryVersion });
  const head = ["content-type", "application/json", "content-length", String(body.length)];
  head.push("cache-control", "no-store", headers.requestId, state.requestId);
  if (state.draining) head.push("connection", "close");
  res.writeHead(state.draining ? 503 : 200, head);
  res.end(body);
  return res.statusCode;
}

const preflightLines = Object.entries(preflightHeaders).flat();

/** What a browser may send, the same for every host and tenant: nothing is looked up for it. Gives the status. */
export function answerPreflight(res: ServerResponse, requestId: string, close: boolean): number {
  const ids = [headers.requestId, requestId];
  res.writeHead(204, [...preflightLines, ...ids, ...(close ? ["connection", "close"] : [])]);
  res.end();
  return res.statusCode;
}
