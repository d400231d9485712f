import { getRequestListener, type HttpBindings, RequestError } from "@hono/node-server";
import { makeProblem } from "@proveniq/contracts";
import { problemResponse, responseTo } from "./problem-response.ts";

/** From a request to its answer, as Hono's `app.fetch`. */
export type Fetch = (request: Request, env: HttpBindings) => Response | Promise<Response>;

/** `fetch` for Node's HTTP, on its own server and on the functions platform alike: no fault is answered without a problem. */
export function listenerOf(fetch: Fetch): ReturnType<typeof getRequestListener> {
  return getRequestListener((request, env) => fetch(request, env as HttpBindings), {
    overrideGlobalObjects: false,
    errorHandler: (error) =>
      error instanceof RequestError
        ? problemResponse(makeProblem("invalid-request", "The request target or Host is not valid."))
        : responseTo(error),
  });
}
