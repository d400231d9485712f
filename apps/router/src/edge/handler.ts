import {
  headers,
  makeProblem,
  type ProblemCode,
  type ProofSecret,
  problemContentType,
  writeTraceparent,
} from "@proveniq/contracts";
import { requestIdOf, type Trace, traceOf } from "@proveniq/http-edge/ids";
import type { Directory } from "@proveniq/tenant-context/directory";
import { type Decision, decide, type Serves } from "../decide/index.ts";
import { encoded } from "../request-head.ts";
import { learnSuccessor } from "../successor.ts";
import { answerHeaders, requestHeaders } from "./edge-headers.ts";
import { type AddProof, proofAdder } from "./edge-proof.ts";

type Route = Extract<Decision, { kind: "route" }>;

/**
 * How a request goes on. `fetch`: this function is the proxy; it sees the cell's answer, follows a 421 and strips what
 * is reserved. `rewrite`: the platform is the proxy, without limits on body and time, and nobody sees the answer.
 */
export type EdgeMode = "fetch" | "rewrite";

export interface EdgeOptions {
  directory: Directory;
  /** By default bulk requests are rewritten and all others fetched. */
  mode?: (route: Route) => EdgeMode;
  fetch?: typeof fetch;
  /** By which cells know the router; without any, only cells answer that ask for no proof. */
  proofSecrets?: readonly ProofSecret[];
  /** Milliseconds until the cell's answer must have begun. */
  firstByteMs?: number;
}

const replayBytes = 65_536;

/** The router for edge runtimes: a request in, the cell's answer, a rewrite or a problem out. */
export function createEdgeHandler(options: EdgeOptions): (request: Request) => Promise<Response> {
  const { directory, fetch: send = fetch, firstByteMs = 60_000 } = options;
  const mode = options.mode ?? ((route) => (route.bulk ? "rewrite" : "fetch"));

  const secrets = options.proofSecrets ?? [];
  const addProof = proofAdder(secrets);
  const own = new Set(secrets.map((s) => s.residency));
  const serves: Serves = (residency) => own.size === 0 || own.has(residency);

  return async (request) => {
    const requestId = requestIdOf(request.headers.get(headers.requestId) ?? undefined);
    const trace = traceOf(
      request.headers.get(headers.traceparent) ?? undefined,
      request.headers.get(headers.tracestate) ?? undefined,
    );
    const problem = (code: ProblemCode, detail: string) => problemAnswer(code, detail, requestId, trace);
    const path = request.url.slice(request.url.indexOf("/", request.url.indexOf("//") + 2));
    const host = request.headers.get("host") ?? new URL(request.url).host;
    const question = {
      host,
      path,
      tenantHeader: request.headers.get(headers.tenant) ?? undefined,
      authorization: request.headers.get("authorization") ?? undefined,
    };
    if (request.headers.has("upgrade")) return problem("upgrade-refused", "No protocol upgrade is offered.");
    if ((request.headers.get("content-encoding") ?? "identity").toLowerCase() !== "identity")
      return problem(encoded.problem, encoded.detail);
    const decision = await decide(question, directory, serves);
    if (decision.kind === "reject") return problem(decision.problem, decision.detail);

    const passed = requestHeaders(request.headers);
    passed.set(headers.requestId, requestId);
    passed.set(headers.traceparent, trace.traceparent);
    if (trace.tracestate !== undefined) passed.set(headers.tracestate, trace.tracestate);
    if (mode(decision) === "rewrite") return rewrite(decision, path, passed, addProof);

    const body = await replayable(request);
    const ask = (route: Route): Promise<Response | undefined> =>
      fetchFrom(route, path, { send, firstByteMs, method: request.method, passed, body, addProof });
    const first = await ask(decision);
    const learnt =
      first?.status === 421 &&
      learnSuccessor(directory, decision, first.headers.get(headers.successor) ?? undefined);
    const next =
      learnt && !(body instanceof ReadableStream) ? await decide(question, directory, serves) : undefined;
    if (next?.kind === "reject") return problem(next.problem, next.detail);
    const answer = next === undefined ? first : await ask(next);
    if (answer === undefined)
      return problem("cell-unreachable", "The cell did not answer. Try again in a few seconds.");
    return new Response(answer.body, {
      status: answer.status,
      statusText: answer.statusText,
      headers: answerHeaders(answer.headers, requestId),
    });
  };
}

interface Sending {
  send: typeof fetch;
  firstByteMs: number;
  method: string;
  passed: Headers;
  body: ArrayBuffer | ReadableStream | undefined;
  addProof: AddProof;
}

async function fetchFrom(route: Route, path: string, how: Sending): Promise<Response | undefined> {
  const sent = new Headers(how.passed);
  addRoute(sent, route);
  await how.addProof(sent, route.cell.residency, originOf(route), path);
  // The platform decodes answers by itself; what it decodes must not be labelled as coded.
  sent.set("accept-encoding", "identity");
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), how.firstByteMs);
  try {
    return await how.send(`${originOf(route)}${path}`, {
      method: how.method,
      headers: sent,
      redirect: "manual",
      signal: abort.signal,
      ...(how.body === undefined ? {} : { body: how.body, duplex: "half" }),
    });
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** The complete set of request headers goes along: a rewrite that names some replaces all. */
async function rewrite(route: Route, path: string, passed: Headers, addProof: AddProof): Promise<Response> {
  const sent = new Headers(passed);
  addRoute(sent, route);
  await addProof(sent, route.cell.residency, originOf(route), path);
  // The platform gives the client whatever the cell answers, and a cell that is told no epoch names no successor.
  sent.delete(headers.epoch);
  const answer = new Headers({ "x-middleware-rewrite": `${originOf(route)}${path}` });
  const names = [...sent.keys()];
  answer.set("x-middleware-override-headers", names.join(","));
  for (const name of names) answer.set(`x-middleware-request-${name}`, sent.get(name) ?? "");
  return new Response(null, { headers: answer });
}

function addRoute(sent: Headers, route: Route): void {
  sent.set(headers.tenant, route.tenantId);
  sent.set(headers.host, route.host);
  if (route.epoch > 0) sent.set(headers.epoch, String(route.epoch));
}

function originOf(route: Route): string {
  return route.bulk ? route.cell.bulk : route.cell.api;
}

/** The body in full when it is short and says so, else the stream itself, which can be sent once only. */
async function replayable(request: Request): Promise<ArrayBuffer | ReadableStream | undefined> {
  if (request.body === null || request.method === "GET" || request.method === "HEAD") return undefined;
  const declared = request.headers.get("content-length");
  return declared !== null && Number(declared) <= replayBytes ? request.arrayBuffer() : request.body;
}

function problemAnswer(code: ProblemCode, detail: string, requestId: string, trace: Trace): Response {
  const document = makeProblem(code, trace.traceId, detail);
  return new Response(JSON.stringify(document), {
    status: document.status,
    headers: {
      "content-type": problemContentType,
      "cache-control": "private, no-store",
      [headers.requestId]: requestId,
      [headers.traceresponse]: writeTraceparent(trace),
    },
  });
}
