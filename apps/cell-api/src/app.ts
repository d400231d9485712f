import { headers, ProblemError } from "@proveniq/contracts";
import { tenantContext } from "@proveniq/tenant-context/hono";
import { Hono } from "hono";
import { admit } from "./access/admit.ts";
import { fleetOnly } from "./access/fleet-only.ts";
import { policy } from "./access/policy.ts";
import type { AppDeps, AppEnv } from "./deps.ts";
import { answerHeaders, preflights } from "./http/answer-headers.ts";
import { plainBody } from "./http/plain-body.ts";
import { plainTarget } from "./http/plain-target.ts";
import { responseTo } from "./http/problem-response.ts";
import { requestLog } from "./http/request-log.ts";
import { Traffic } from "./http/traffic.ts";
import { readinessCheck } from "./readiness.ts";
import { pathsOf, routes } from "./routes/index.ts";
import type { RouteDeps } from "./routes/route.ts";

/** The cell's HTTP interface over what it is given. Reads no environment and opens nothing. */
export function createApp(deps: AppDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const traffic = new Traffic(deps.now);
  const dependencies = readinessCheck(deps.dependencies, deps.now);
  const routeDeps: RouteDeps = {
    cell: deps.cell,
    now: deps.now,
    quota: deps.quota,
    market: deps.market,
    portfolios: deps.portfolios,
    importer: deps.importer,
    readiness: async () => ({ ...(await dependencies()), traffic: traffic.summary() }),
    documents: once(async () => {
      const { renderDocuments } = await import("./openapi/index.ts");
      return renderDocuments(routes);
    }),
  };
  const resolve = tenantContext(deps.tenants);
  const methods = new Map<string, string[]>();

  app.use(requestLog(deps, traffic));
  app.use(answerHeaders);
  app.use(fleetOnly(deps.proof, deps.now));
  app.use(preflights);
  app.use(plainTarget);
  app.use(plainBody);
  const bulk = deps.importer !== undefined;
  for (const route of routes) {
    if (route.scope === "tenant" && (route.service === "bulk") !== bulk) continue;
    for (const template of pathsOf(route)) {
      const path = template.replace(/\{([a-zA-Z]+)\}/g, ":$1");
      const method = route.method.toUpperCase();
      methods.set(path, [...(methods.get(path) ?? []), method]);
      app.on(method, path, async (c, next) => {
        c.set("route", template);
        await next();
      });
      if (route.scope === "tenant") {
        app.on(method, path, resolve, admit(policy[route.operationId], deps.quota));
      }
      app.on(method, path, (c) => route.handle(c, routeDeps));
    }
  }
  // Paths without a parameter first: `/market-values/batch-get` is no market key.
  const names = (path: string) => path.split(":").length;
  const plainFirst = [...methods].sort(([a], [b]) => names(a) - names(b));
  for (const [path, allowed] of plainFirst) refuseOthers(app, path, allowed);

  const nothing = new ProblemError("not-found", "There is nothing at this path.");
  app.notFound((c) => responseTo(nothing, c.get("traceId")));
  app.onError((error, c) => {
    const answer = responseTo(isRead(c.req.method) ? ofRead(error) : error, c.get("traceId"));
    // Where a tenant went is said to routers alone: they prove that they are, and name the epoch by which they ask.
    if (!c.get("fleet") || c.req.header(headers.epoch) === undefined)
      answer.headers.delete(headers.successor);
    return answer;
  });
  return app;
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/** Whoever only read is told nothing about writes. */
function ofRead(error: unknown): unknown {
  if (!(error instanceof ProblemError) || error.code !== "database-unavailable") return error;
  const { headers, cause } = error;
  return new ProblemError(error.code, "The database did not answer in time: ask again.", { headers, cause });
}

/** OPTIONS tells what a path supports; any other method that no route took is refused with the same list. */
function refuseOthers(app: Hono<AppEnv>, path: string, methods: readonly string[]): void {
  const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
  app.all(path, (c) => {
    if (c.req.method === "OPTIONS") return c.body(null, 204, { allow });
    throw new ProblemError("method-not-allowed", `This path supports ${allow}.`, { headers: { allow } });
  });
}

/** The same promise for every caller. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
