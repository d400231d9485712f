import { readFile } from "node:fs/promises";
import { type Decision, type ExplainedStep, explain, type RouteRequest } from "@proveniq/router/decide";
import { SnapshotDirectory } from "@proveniq/tenant-context/directory";
import { CommandError } from "../cli/errors.ts";

/** Where the decision is made: the Node server of each residency, or Vercel's edge in front of global hosts. */
export const planes = ["router", "edge"] as const;
export type Plane = (typeof planes)[number];

export interface ExplainedRoute {
  plane: Plane;
  rule: Decision["reason"];
  directoryVersion: number;
  /** Of the placement that decided; null when none did. */
  epoch: number | null;
  decision: Decision;
  steps: (ExplainedStep | { step: "delivery"; finding: string })[];
}

/** Ask the very function that routers route by, over the directory in `file`. Throws when it is not readable. */
export async function explainRoute(
  request: RouteRequest,
  file: string,
  plane: Plane,
): Promise<ExplainedRoute> {
  const { decision, rule, directoryVersion, steps } = await explain(request, await openDirectory(file));
  return {
    plane,
    rule,
    directoryVersion,
    epoch: decision.kind === "route" && decision.epoch > 0 ? decision.epoch : null,
    decision,
    steps: [...steps, ...deliveryOf(plane, decision)],
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
    throw new CommandError(
      `The directory ${file} cannot be read: ${error instanceof Error ? error.message : "unknown"}`,
    );
  }
  if (directory.offerText(text, file) !== "accepted")
    throw new CommandError(`A router would not believe ${file}: ${complaints.join("; ")}`);
  return directory;
}

function deliveryOf(plane: Plane, decision: Decision): { step: "delivery"; finding: string }[] {
  if (plane === "router" || decision.kind === "reject") return [];
  const finding = decision.bulk
    ? "rewritten: the platform proxies it, and a 421 of the cell is not followed"
    : "fetched: a 421 of the cell is seen, and followed once";
  return [{ step: "delivery", finding }];
}
