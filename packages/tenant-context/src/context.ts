import {
  type ApiKeyRecord,
  type Claim,
  type DomainEvent,
  headers,
  ProblemError,
  type TenantSettings,
} from "@proveniq/contracts";
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
  /** What the tenant keeps about who may enter. */
  access: {
    key(place: TenantPlace, keyId: string): Promise<ApiKeyRecord | undefined>;
    settings(place: TenantPlace): Promise<Readonly<TenantSettings>>;
  };
  openTenant(binding: Binding): Db | Promise<Db>;
}

/** Where a tenant's data is, as its claim was found. */
export interface TenantPlace {
  tenantId: string;
  databaseId: string;
}

/** Who asks, for which tenant, and the one handle through which its data can be reached. */
export interface TenantContext<Db> {
  readonly tenantId: string;
  /** Set for people: everything they see and change is theirs. */
  readonly ownerId?: string;
  readonly epoch: number;
  readonly principal: Principal;
  readonly settings: Readonly<TenantSettings>;
  readonly db: Db;
}

/** The parts of a request that decide about its tenant. `path` is as received, escapes and all. */
export interface TenantRequest {
  path: string;
  tenantHeader: string | readonly string[] | undefined;
  authorization: string | undefined;
}

/**
 * From a request to its tenant's context: hint → credential, as far as it proves itself → claim → credential, as
 * far as the tenant knows it → handle. Nothing is looked up for a credential that has no chance, so strangers get
 * 401 for every well-formed tenant and cost no database anything. Whoever passes that and is not of a tenant of this cell
 * gets one answer, whether the tenant is unknown or another cell's.
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
  const proof = await ports.authenticate(bearerOf(request.authorization), tenantId);
  const located = await ports.claims.read(tenantId);
  if (located === undefined) throw misdirected();
  if (located.claim.state === "moved") throw misdirected(located.claim.successor);
  const { databaseId, claim } = located;
  const place = { tenantId, databaseId };
  const settings = await ports.access.settings(place);
  const principal = await proof.admit({ settings, key: (keyId) => ports.access.key(place, keyId) });
  // `moving` and `fenced` pass: data can still be read, and whether a write may happen is decided in its own
  // transaction, by the claim as it is then.
  if (claim.state === "suspended") {
    throw new ProblemError("tenant-suspended", "Ask support what is needed to open it again.");
  }
  const { epoch, copies: claimCopies } = claim;
  const owner = principal.ownerId === undefined ? {} : { ownerId: principal.ownerId };
  const actor = { kind: principal.kind, id: principal.id };
  const db = await ports.openTenant({ tenantId, databaseId, epoch, claimCopies, actor, ...owner });
  return { tenantId, epoch, principal, settings, db, ...owner };
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
