import { getRequestListener, type HttpBindings, RequestError } from "@hono/node-server";
import { headers, ProblemError, writeTraceparent } from "@proveniq/contracts";
import { requestIdOf, traceOf } from "@proveniq/http-edge";
import type { Logger } from "../log.ts";
import { responseTo } from "./problem-response.ts";

/** From a request to its answer, as Hono's `app.fetch`. */
export type Fetch = (request: Request, env: HttpBindings) => Response | Promise<Response>;

/**
 * `fetch` for Node's HTTP, on its own server and on the functions platform alike: no fault is answered without a problem. The
 * logger is told of each request that `fetch` never saw.
 */
export function listenerOf(fetch: Fetch, logger: Logger): ReturnType<typeof getRequestListener> {
  return getRequestListener((request, env) => fetch(request, env as HttpBindings), {
    overrideGlobalObjects: false,
    // It would give a client that still sends half a second, and reset it then.
    autoCleanupIncoming: false,
    errorHandler: (error) => {
      const known =
        error instanceof RequestError
          ? new ProblemError("invalid-request", "The request target or Host is not valid.")
          : new ProblemError("internal-error");
      const requestId = requestIdOf(undefined);
      const trace = traceOf(undefined, undefined);
      const { traceId } = trace;
      const answer = responseTo(known, traceId);
      answer.headers.set(headers.requestId, requestId);
      answer.headers.set(headers.traceresponse, writeTraceparent(trace));
      const { code: problem } = known;
      logger.info({ requestId, traceId, status: answer.status, problem }, "request ended outside the app");
      return answer;
    },
  });
}
