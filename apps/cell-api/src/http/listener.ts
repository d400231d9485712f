import { getRequestListener, type HttpBindings, RequestError } from "@hono/node-server";
import {
  headers,
  type ProblemCode,
  ProblemError,
  problems,
  randomHex,
  writeTraceparent,
} from "@proveniq/contracts";
import { responseTo } from "./problem-response.ts";

/** From a request to its answer, as Hono's `app.fetch`. */
export type Fetch = (request: Request, env: HttpBindings) => Response | Promise<Response>;

/** A request that never became one for the app. */
export interface Refusal {
  requestId: string;
  traceId: string;
  code: ProblemCode;
  status: number;
}
export type OnRefused = (refusal: Refusal) => void;

/** Ids for a request that is refused with that problem. */
export function refusalOf(code: ProblemCode): Refusal {
  return { requestId: randomHex(16), traceId: randomHex(16), code, status: problems[code].status };
}

/** Headers that tell them. */
export function idsOf({ requestId, traceId }: Refusal): Record<string, string> {
  const trace = writeTraceparent({ traceId, spanId: randomHex(8), sampled: false });
  return { [headers.requestId]: requestId, [headers.traceresponse]: trace };
}

/**
 * `fetch` for Node's HTTP, on its own server and on the functions platform alike: no fault is answered without a problem.
 * `onRefused` is told of each request that `fetch` never saw.
 */
export function listenerOf(fetch: Fetch, onRefused?: OnRefused): ReturnType<typeof getRequestListener> {
  return getRequestListener((request, env) => fetch(request, env as HttpBindings), {
    overrideGlobalObjects: false,
    // It would give a client that still sends half a second, and reset it then.
    autoCleanupIncoming: false,
    errorHandler: (error) => {
      const known =
        error instanceof RequestError
          ? new ProblemError("invalid-request", "The request target or Host is not valid.")
          : new ProblemError("internal-error");
      const refusal = refusalOf(known.code);
      onRefused?.(refusal);
      const answer = responseTo(known, refusal.traceId);
      for (const [name, value] of Object.entries(idsOf(refusal))) answer.headers.set(name, value);
      return answer;
    },
  });
}
