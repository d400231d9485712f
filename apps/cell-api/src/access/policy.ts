import { type PrincipalKind, ProblemError, type Scope } from "@proveniq/contracts";
import type { Principal } from "@proveniq/tenant-context/credentials";

/** Who may call an operation: anybody, or these kinds of principal, with this scope (null: with any). */
export type Rule = "public" | { kinds: readonly PrincipalKind[]; scope: Scope | null };

const everybody: readonly PrincipalKind[] = ["key", "staff", "person"];
/** Whose handle is on the whole book. */
const partners: readonly PrincipalKind[] = ["key", "staff"];

/**
 * The one table of who may call what. An operation without a row does not compile and cannot be called; what a
 * principal then sees is decided by its handle on the data, not here.
 */
export const policy = {
  createItem: { kinds: everybody, scope: "items:write" },
  listItems: { kinds: everybody, scope: "items:read" },
  getItem: { kinds: everybody, scope: "items:read" },
  patchItem: { kinds: everybody, scope: "items:write" },
  deleteItem: { kinds: everybody, scope: "items:write" },
  getMarketValue: { kinds: everybody, scope: "items:read" },
  batchGetMarketValues: { kinds: everybody, scope: "items:read" },
  getPortfolio: { kinds: everybody, scope: "items:read" },
  createImport: { kinds: partners, scope: "imports" },
  listImports: { kinds: partners, scope: "imports" },
  getImport: { kinds: partners, scope: "imports" },
  putChunk: { kinds: partners, scope: "imports" },
  completeImport: { kinds: partners, scope: "imports" },
  cancelImport: { kinds: partners, scope: "imports" },
  undoImport: { kinds: partners, scope: "imports" },
  getImportUndoNdjson: { kinds: partners, scope: "imports" },
  getImportErrorsCsv: { kinds: partners, scope: "imports" },
  getImportErrorsNdjson: { kinds: partners, scope: "imports" },
  getMe: { kinds: everybody, scope: null },
  describeCell: "public",
  getHealth: "public",
  getReady: "public",
  getOpenApi: "public",
  getDocs: "public",
} as const satisfies Record<string, Rule>;

/** Every operation there may be. */
export type OperationId = keyof typeof policy;

/** Pass, or throw `forbidden`. Anything that no rule allows is refused. */
export function authorize(rule: Rule | undefined, principal: Pick<Principal, "kind" | "scopes">): void {
  if (rule === undefined || rule === "public") throw new ProblemError("forbidden");
  if (!rule.kinds.includes(principal.kind)) {
    throw new ProblemError("forbidden", "This is not for credentials of this kind.");
  }
  if (rule.scope !== null && !principal.scopes.includes(rule.scope)) {
    throw new ProblemError("forbidden", `The credential lacks the scope ${rule.scope}.`);
  }
}
