import type { Directory, HostRule, LookupResult } from "@proveniq/tenant-context/directory";
import { type HintSource, readTenantHint } from "@proveniq/tenant-context/hint";
import { isBulkTarget, isPlainTarget } from "@proveniq/tenant-context/target";
import { type Decision, decide, type RouteRequest } from "./decide.ts";
import { findHost } from "./host.ts";

/** One step of a decision, for people: what was looked at and what came of it. */
export interface ExplainedStep {
  step: "target" | "hint" | "directory" | "host" | "placement" | "decision";
  finding: string;
}

export interface Explanation {
  decision: Decision;
  /** The rule that decided: the reason of the decision. */
  rule: Decision["reason"];
  /** Of the directory that was asked; 0 when there is none. */
  directoryVersion: number;
  steps: ExplainedStep[];
}

/** The decision itself, from the very function that routes, with what each of its steps found. */
export async function explain(request: RouteRequest, directory: Directory): Promise<Explanation> {
  const decision = await decide(request, directory);
  const table = directory.hostTable();
  const steps: ExplainedStep[] = [];
  const say = (step: ExplainedStep["step"], finding: string) => steps.push({ step, finding });
  const done = (): Explanation => {
    say("decision", describeDecision(decision));
    return { decision, rule: decision.reason, directoryVersion: table?.version ?? 0, steps };
  };

  const plain = isPlainTarget(request.path);
  say(
    "target",
    plain
      ? `plain, for the ${isBulkTarget(request.path) ? "bulk" : "api"} service`
      : "can be read in two ways",
  );
  if (!plain) return done();
  const hint = readTenantHint(request);
  say("hint", hint.ok ? describeHint(hint.tenantId, sourcesOf(request)) : `${hint.problem}: ${hint.detail}`);
  if (!hint.ok) return done();
  say("directory", table === undefined ? "none has been read yet" : `version ${table.version}`);
  if (table === undefined) return done();
  const found = findHost(table, request.host);
  say(
    "host",
    found === undefined
      ? `${request.host} is no host of the fleet`
      : `${found.name} ${describeRule(found.rule)}`,
  );
  if (found === undefined) return done();
  const { rule } = found;
  const tenantId = hint.tenantId ?? (rule.kind === "tenant" ? rule.tenantId : rule.defaultTenant);
  say("placement", `${tenantId}: ${describePlacement(await directory.lookup(tenantId))}`);
  return done();
}

/** Each place that names a tenant, read alone. */
function sourcesOf(request: RouteRequest): string[] {
  const { path, tenantHeader, authorization } = request;
  const alone = [
    { path, tenantHeader: undefined, authorization: undefined },
    { path: "/", tenantHeader, authorization: undefined },
    { path: "/", tenantHeader: undefined, authorization },
  ];
  const sources: HintSource[] = [];
  for (const input of alone) {
    const hint = readTenantHint(input);
    if (hint.ok && hint.source !== undefined) sources.push(hint.source);
  }
  return sources;
}

function describeHint(tenantId: string | undefined, sources: readonly string[]): string {
  return tenantId === undefined ? "names no tenant" : `${tenantId}, by its ${sources.join(" and its ")}`;
}

function describeRule(rule: HostRule): string {
  if (rule.kind === "tenant") return `is the own host of ${rule.tenantId}`;
  const whom =
    rule.kind === "global" ? "admits tenants without a residency" : `admits the residency ${rule.residency}`;
  return `${whom}; without a tenant ${rule.defaultTenant} in ${rule.defaultCell.id}`;
}

function describePlacement(placed: LookupResult): string {
  if (placed === "unknown") return "has no placement";
  if (placed === "unavailable") return "nobody can say, the directory's source is down";
  return `in ${placed.cell.id} (residency ${placed.cell.residency}) since epoch ${placed.epoch}`;
}

function describeDecision(decision: Decision): string {
  if (decision.kind === "reject") return `${decision.problem}, because of ${decision.reason}`;
  const { cell, bulk, tenantId } = decision;
  return `to ${cell.id} at ${bulk ? cell.bulk : cell.api} as ${tenantId}, because of ${decision.reason}`;
}
