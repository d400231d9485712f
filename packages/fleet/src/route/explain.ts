import { readFile } from "node:fs/promises";
import { messageOf } from "@proveniq/contracts";
import { readUrlMaps, routeByUrlMap } from "@proveniq/control-plane/url-map";
import { type Decision, type ExplainedStep, explain, type RouteRequest } from "@proveniq/router/decide";
import { SnapshotDirectory } from "@proveniq/tenant-context/directory";
import { CommandError } from "../cli/errors.ts";

/**
 * Where the decision is made: the Node server of each residency, Vercel's edge in front of global hosts, or the URL map of
 * a load balancer, which sends some requests past the router.
 */
export const planes = ["router", "edge", "url-map"] as const;
export type Plane = (typeof planes)[number];

export interface ExplainedRoute {
  plane: Plane;
  rule: Decision["reason"];
  directoryVersion: number;
  /** Of the placement that decided; null when none did. */
  epoch: number | null;
  decision: Decision;
  steps: (ExplainedStep | { step: "delivery" | "load balancer"; finding: string })[];
}

/**
 * Ask the very function that routers route by, over the directory in `file`; for the URL map also what Terraform shows of
 * it. Throws when one of them is not readable.
 */
export async function explainRoute(
  request: RouteRequest,
  file: string,
  plane: Plane,
  urlMapFile?: string,
): Promise<ExplainedRoute> {
  const balanced = urlMapFile === undefined ? [] : [await explainBalancer(request, urlMapFile)];
  const { decision, rule, directoryVersion, steps } = await explain(request, await openDirectory(file));
  return {
    plane,
    rule,
    directoryVersion,
    epoch: decision.kind === "route" && decision.epoch > 0 ? decision.epoch : null,
    decision,
    steps: [...balanced, ...steps, ...deliveryOf(plane, decision)],
  };
}

async function openDirectory(file: string): Promise<SnapshotDirectory> {
  const complaints: string[] = [];
  const directory = new SnapshotDirectory((level, message, { reason }) => {
    if (level === "warn") complaints.push(`${message}: ${reason}`);
  });
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new CommandError(`The directory ${file} cannot be read: ${messageOf(error)}`);
  }
  if (directory.offerText(text, file) !== "accepted")
    throw new CommandError(`A router would not believe ${file}: ${complaints.join("; ")}`);
  return directory;
}

/** What the load balancer of the request's host does with it. */
async function explainBalancer(
  { host, path, tenantHeader = [] }: RouteRequest,
  file: string,
): Promise<{ step: "load balancer"; finding: string }> {
  const maps = await readFile(file, "utf8")
    .then(readUrlMaps)
    .catch((error: unknown) => {
      throw new CommandError(`${file}: ${messageOf(error)}`);
    });
  const headers = { "x-tenant-id": typeof tenantHeader === "string" ? [tenantHeader] : tenantHeader };
  const decisions = maps.map((map) => ({ map, decision: routeByUrlMap(map, { host, path, headers }) }));
  const [first] = decisions.toSorted(
    (a, b) => Number(a.decision.kind === "reject") - Number(b.decision.kind === "reject"),
  );
  if (first === undefined) throw new CommandError(`${file} holds no URL map`);
  const { map, decision } = first;
  const finding =
    decision.kind === "reject"
      ? `${map.name} answers ${decision.status}: ${decision.by}. What follows is what a router would have said`
      : `${map.name} sends it to ${decision.service}, by ${decision.by}`;
  return { step: "load balancer", finding };
}

function deliveryOf(plane: Plane, decision: Decision): { step: "delivery"; finding: string }[] {
  if (plane !== "edge" || decision.kind === "reject") return [];
  const finding = decision.bulk
    ? "rewritten: the platform proxies it, and a 421 of the cell is not followed"
    : "fetched: a 421 of the cell is seen, and followed once";
  return [{ step: "delivery", finding }];
}
