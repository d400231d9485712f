import { type ProblemCode, problem, problemContentType, problems } from "@proveniq/contracts";
import { pathsOf, routes } from "../routes/index.ts";
import { frontProblems, type Route, tenantProblems } from "../routes/route.ts";

/** The route that serves a method and path, as a client would find it in the documentation. */
export function routeFor(method: string, path: string): Route | undefined {
  const wanted = method === "HEAD" ? "get" : method.toLowerCase();
  return routes.find(
    (route) =>
      route.method === wanted &&
      pathsOf(route).some((t) => new RegExp(`^${t.replace(/\{\w+\}/g, "[^/]+")}$`).test(path)),
  );
}

/** Throws when an answer is none that the documentation of its route promises. */
export function assertDocumented(method: string, path: string, status: number, type: string, body: unknown) {
  const route = routeFor(method, path.split("?")[0] ?? "");
  const answer = route?.answers[status];
  if (answer !== undefined && type !== problemContentType) {
    if (answer.schema !== undefined && method !== "HEAD") answer.schema.parse(body);
    return;
  }
  if (method === "HEAD" || method === "OPTIONS") return;
  const { code } = problem.parse(body);
  const known: readonly ProblemCode[] =
    route === undefined
      ? ["not-found", "method-not-allowed", "invalid-request"]
      : [...route.problems, ...(route.scope === "tenant" ? tenantProblems : []), ...frontProblems];
  if (!known.includes(code)) throw new Error(`${method} ${path} answered the undocumented problem ${code}`);
  if (problems[code].status !== status) throw new Error(`${code} was answered with status ${status}`);
}
