import { type Claim, type DomainEvent, headers, ProblemError } from "@proveniq/contracts";
import type { Authenticator, Principal } from "./credentials/authenticator.ts";
import { readTenantHint } from "./hint.ts";

/** What a database handle is bound to; the same shape that `@proveniq/db` takes. */
export interface Binding {
  tenantId: string;
  databaseId: string;
  epoch: number;
  /** How many equal copies of the claim there are; a write reads one of them. */
  claimCopies: number;
  actor: DomainEvent["actor"];
  ownerId?: string;
}

/** A tenant's claim, and in which database of the cell it was found. */
export interface LocatedClaim {
  claim: Claim;
  databaseId: string;
}

/** What the core needs from its surroundings. It knows no database and no credential format. */
export interface TenantPorts<Db> {
  /** The tenant of those who name none; only a default cell has one. */
  defaultTenant?: string;
  authenticate: Authenticator;
  claims: {
    read(tenantId: string): Promise<LocatedClaim | undefined>;
    /** Told when a write found another claim than `read` had given: what is cached is old. */
    forget?(tenantId: string): void;
  };
  openTenant(binding: Binding): Db | Promise<Db>;
}

/** Who asks, for which tenant, and the one handle through which its data can be reached. */
export interface TenantContext<Db> {
  readonly tenantId: string;
  /** Set for people: everything they see and change is theirs. */
  readonly ownerId?: string;
  readonly epoch: number;
  readonly principal: Principal;
  readonly db: Db;
}

/** The parts of a request that decide about its tenant. `path` is as received, escapes and all. */
export interface TenantRequest {
  path: string;
  tenantHeader: string | readonly string[] | undefined;
  authorization: string | undefined;
}

/**
 * From a request to its tenant's context: hint → credential → claim → handle. Nothing about a tenant is looked up
 * before the credential is verified, so a stranger learns nothing of who is here: they get 401 for every
 * well-formed tenant.
 *
 * Throws ProblemError: invalid-tenant, tenant-conflict, tenant-required, unauthenticated, misdirected-request,
 * tenant-suspended, and what the ports throw.
 */
export async function resolveTenant<Db>(
  ports: TenantPorts<Db>,
  request: TenantRequest,
): Promise<TenantContext<Db>> {
  const hint = readTenantHint(request);
  if (!hint.ok) throw new ProblemError(hint.problem, hint.detail);
  const tenantId = hint.tenantId ?? ports.defaultTenant;
  if (tenantId === undefined) {
    throw new ProblemError(
      "tenant-required",
      "Name the tenant in the X-Tenant-ID header or in the path /t/{tenant}/v1/….",
    );
  }
  const principal = await ports.authenticate(bearerOf(request.authorization), tenantId);
  const located = await ports.claims.read(tenantId);
  if (located === undefined) throw misdirected();
  admit(located.claim);
  const { epoch, copies: claimCopies } = located.claim;
  const owner = principal.ownerId === undefined ? {} : { ownerId: principal.ownerId };
  const actor = { kind: principal.kind, id: principal.id };
  const { databaseId } = located;
  const db = await ports.openTenant({ tenantId, databaseId, epoch, claimCopies, actor, ...owner });
  return { tenantId, epoch, principal, db, ...owner };
}

/**
 * Refuse tenants that are not served here. `moving` and `fenced` pass: data can still be read, and whether a
 * write may happen is decided in its own transaction, by the claim as it is then.
 */
function admit(claim: Claim): void {
  switch (claim.state) {
    case "active":
    case "moving":
    case "fenced":
      return;
    case "suspended":
      throw new ProblemError("tenant-suspended", "Ask support what is needed to open it again.");
    case "moved":
      throw misdirected(claim.successor);
  }
}

/** One text for tenants that are unknown, of another cell, or gone to one: only the router gets to know where. */
function misdirected(successor?: Claim["successor"]): ProblemError {
  const more =
    successor === undefined
      ? {}
      : { headers: { [headers.successor]: `${successor.cellId};${successor.epoch}` } };
  return new ProblemError("misdirected-request", "Check the tenant id and the host.", more);
}

/** The credential of `Authorization: Bearer …`; undefined when there is none or another scheme. */
function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const match = /^bearer +([\x21-\x7e]+) *$/i.exec(authorization);
  return match?.[1];
}
