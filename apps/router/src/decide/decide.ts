import type { ProblemCode, Residency } from "@proveniq/contracts";
import type { CellRoute, Directory, HostRule, LookupResult } from "@proveniq/tenant-context/directory";
import { type HintInput, readTenantHint } from "@proveniq/tenant-context/hint";
import { isBulkTarget, isPlainTarget, plainTargetRule } from "@proveniq/tenant-context/target";
import { findHost } from "./host.ts";

/** What a decision reads of a request. Reserved headers are not in it: they are stripped before. */
export interface RouteRequest extends HintInput {
  /** Value of the Host header. */
  host: string;
}

/** Why it was decided so: for logs, metrics and explanations. Clients see the problem only. */
export type RouteReason = "own-host" | "placement" | "default";
export type RejectReason =
  | "ambiguous-path"
  | "invalid-tenant"
  | "tenant-conflict"
  | "unknown-host"
  | "unknown-tenant"
  | "wrong-host"
  | "directory-unavailable";

export type Decision =
  | {
      readonly kind: "route";
      readonly reason: RouteReason;
      readonly cell: CellRoute;
      /** The cell's `bulk` origin is meant instead of `api`. */
      readonly bulk: boolean;
      readonly tenantId: string;
      /** 0 when the directory does not list the tenant (a default one). */
      readonly epoch: number;
      /** The host as the directory writes it. */
      readonly host: string;
    }
  | {
      readonly kind: "reject";
      readonly reason: RejectReason;
      readonly problem: ProblemCode;
      readonly detail: string;
    };

/** Whether a router stands in front of cells of a residency. */
export type Serves = (residency: Residency) => boolean;
const everywhere: Serves = () => true;

/**
 * Which cell a request goes to, or which problem answers it. Pure but for the directory's look-up, whose promise it
 * passes on. A tenant that does not exist and one that this host does not serve get the very same answer.
 */
export function decide(
  request: RouteRequest,
  directory: Directory,
  serves: Serves = everywhere,
): Decision | Promise<Decision> {
  if (!isPlainTarget(request.path)) return ambiguousPath;
  const hint = readTenantHint(request);
  if (!hint.ok)
    return reject(
      hint.problem === "invalid-tenant" ? "invalid-tenant" : "tenant-conflict",
      hint.problem,
      hint.detail,
    );
  const table = directory.hostTable();
  if (table === undefined) return directoryUnavailable;
  const found = findHost(table, request.host);
  if (found === undefined) return unknownHost;
  const { rule, name } = found;
  const own = rule.kind === "tenant" ? rule.tenantId : rule.defaultTenant;
  if (rule.kind === "tenant" && hint.tenantId !== undefined && hint.tenantId !== own) return wrongHost;
  const tenantId = hint.tenantId ?? own;
  const bulk = isBulkTarget(request.path);
  const placed = directory.lookup(tenantId);
  if (placed instanceof Promise)
    return placed.then((late) => place(rule, name, tenantId, bulk, late, serves));
  return place(rule, name, tenantId, bulk, placed, serves);
}

function place(
  rule: HostRule,
  host: string,
  tenantId: string,
  bulk: boolean,
  placed: LookupResult,
  serves: Serves,
): Decision {
  if (typeof placed === "string") {
    if (rule.kind !== "tenant" && tenantId === rule.defaultTenant) {
      return { kind: "route", reason: "default", cell: rule.defaultCell, bulk, tenantId, epoch: 0, host };
    }
    return placed === "unknown" ? unknownTenant : directoryUnavailable;
  }
  const { cell, epoch } = placed;
  // A tenant's own host leads to one front door: when the tenant is under another promise, it must not pass here.
  if (rule.kind === "tenant" && !serves(cell.residency)) return wrongHost;
  if (rule.kind === "tenant") return { kind: "route", reason: "own-host", cell, bulk, tenantId, epoch, host };
  const admitted = rule.kind === "global" ? "global" : rule.residency;
  if (cell.residency !== admitted) return wrongHost;
  const reason = tenantId === rule.defaultTenant ? "default" : "placement";
  return { kind: "route", reason, cell, bulk, tenantId, epoch, host };
}

function reject(reason: RejectReason, problem: ProblemCode, detail: string): Decision {
  return Object.freeze({ kind: "reject", reason, problem, detail });
}

const misdirected = "Check the host name and the tenant id: this host does not serve that tenant.";
const unknownHost = reject("unknown-host", "misdirected-request", misdirected);
const unknownTenant = reject("unknown-tenant", "misdirected-request", misdirected);
const wrongHost = reject("wrong-host", "misdirected-request", misdirected);
const directoryUnavailable = reject(
  "directory-unavailable",
  "directory-unavailable",
  "Nobody can say right now where this tenant is. Try again in a few seconds.",
);
const ambiguousPath = reject("ambiguous-path", "invalid-request", plainTargetRule);
