import { isTenantId, type ProblemCode } from "@proveniq/contracts";

/** Where a request may name its tenant. */
export type HintSource = "path" | "header" | "key" | "token";

export interface HintInput {
  /** The request target as it was received, from its first slash; a query may follow. */
  path: string;
  /** Value of X-Tenant-ID, or every value when it came more than once. */
  tenantHeader: string | readonly string[] | undefined;
  authorization: string | undefined;
}

/** Nothing here is verified: a hint says where a request goes, never what it may do. */
export type TenantHint =
  | { ok: true; tenantId: string; source: HintSource }
  | { ok: true; tenantId: undefined; source: undefined }
  | { ok: false; problem: Extract<ProblemCode, "invalid-tenant" | "tenant-conflict">; detail: string };

const none: TenantHint = Object.freeze({ ok: true, tenantId: undefined, source: undefined });

const names: Record<HintSource, string> = {
  path: "the path",
  header: "the X-Tenant-ID header",
  key: "the API key",
  token: "the token's tenant claim",
};

/**
 * The tenant that a request names: in its path `/t/{tenantId}/…`, in X-Tenant-ID, in the prefix of its API key or
 * in its token's `tenant` claim. All that are present must agree. Every place is read, so that a request which
 * names two tenants is refused whichever of them comes first.
 */
export function readTenantHint(input: HintInput): TenantHint {
  let found: TenantHint = none;
  const { path, tenantHeader, authorization } = input;
  if (path.startsWith("/t/")) found = agree(found, "path", pathTenant(path));
  if (tenantHeader !== undefined) found = agree(found, "header", oneValue(tenantHeader));
  if (authorization !== undefined && isBearer(authorization)) {
    const credential = authorization.slice(7).trim();
    const key = keyTenant(credential);
    if (key !== undefined) found = agree(found, "key", key);
    else {
      const claim = tokenTenant(credential);
      if (claim !== undefined) found = agree(found, "token", claim);
    }
  }
  return found;
}

/** One more place has been read: the first of the faults stays, then the first of the sources. */
function agree(found: TenantHint, source: HintSource, value: string | null): TenantHint {
  if (!found.ok) return found;
  if (value === null || !isTenantId(value)) {
    const detail = `The tenant id in ${names[source]} is malformed, reserved or given twice.`;
    return { ok: false, problem: "invalid-tenant", detail };
  }
  if (found.tenantId === undefined) return { ok: true, tenantId: value, source };
  if (found.tenantId === value) return found;
  const detail = `${names[found.source]} and ${names[source]} name different tenants.`;
  return { ok: false, problem: "tenant-conflict", detail: detail.charAt(0).toUpperCase() + detail.slice(1) };
}

/** The segment after `/t/`. Nothing is decoded: an id needs no escapes, so one with escapes is malformed. */
function pathTenant(path: string): string {
  for (let end = 3; end < path.length; end += 1) {
    const c = path.charCodeAt(end);
    if (c === 0x2f || c === 0x3f || c === 0x23) return path.slice(3, end);
  }
  return path.slice(3);
}

/** Several equal values are refused too: whoever adds a second header tries out who reads which. */
function oneValue(value: string | readonly string[]): string | null {
  if (typeof value === "string") return value;
  return value.length === 1 && value[0] !== undefined ? value[0] : null;
}

/** The scheme's name is case-insensitive (RFC 9110). */
function isBearer(authorization: string): boolean {
  if (authorization.startsWith("Bearer ")) return true;
  return authorization.charCodeAt(6) === 0x20 && authorization.slice(0, 6).toLowerCase() === "bearer";
}

/** Tenant of `pvq_{live|dev}_<tenant>_…`; undefined when this is no API key, null when it is a broken one. */
function keyTenant(credential: string): string | null | undefined {
  if (!credential.startsWith("pvq_")) return undefined;
  const start = credential.startsWith("live_", 4) ? 9 : credential.startsWith("dev_", 4) ? 8 : 0;
  const end = start === 0 ? -1 : credential.indexOf("_", start);
  return end === -1 ? null : credential.slice(start, end);
}

/**
 * The `tenant` claim of a JWT; undefined when there is none or when this is no JWT (that is for the cell to
 * refuse). Identity Platform's `firebase.tenant` is an id of theirs, not of ours, and says nothing here. Latin-1 is enough to read it: an id is ASCII, and no byte of a
 * longer character looks like JSON's punctuation.
 */
function tokenTenant(credential: string): string | null | undefined {
  const start = credential.indexOf(".") + 1;
  const end = credential.indexOf(".", start);
  if (start < 2 || end === -1 || credential.includes(".", end + 1)) return undefined;
  let payload: unknown;
  try {
    const base64 = credential.slice(start, end).replaceAll("-", "+").replaceAll("_", "/");
    payload = JSON.parse(atob(base64));
  } catch {
    return undefined;
  }
  const tenant = member(payload, "tenant");
  if (tenant === undefined || tenant === null) return undefined;
  return typeof tenant === "string" ? tenant : null;
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}
