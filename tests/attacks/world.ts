import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Scope, scope, type TenantSettings } from "@proveniq/contracts";
import { createKey, revokeKey, setTenantSettings } from "@proveniq/control-plane/access";
import { operator } from "@proveniq/control-plane/environment";
import {
  type FleetState,
  type LocalEnvironment,
  openLocalEnvironment,
  seed,
} from "@proveniq/local-cloud/fleet";
import {
  developmentIssuer,
  type IssuerKey,
  loadIssuerKey,
  mintToken,
  type TokenClaims,
} from "@proveniq/local-cloud/issuer";
import { patiently } from "../setup/patience.ts";
import { send, type WireAnswer } from "./wire.ts";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** One way in: through the router, or past it straight at a cell. */
export interface Door {
  name: "router" | "cell";
  origin: string;
  /** Where imports are. */
  bulk: string;
  /** Host header for a cell's tenants without a host of their own. */
  host: string;
}

/**
 * Who is there: `red` attacks; `blue` is its neighbour in the same database of the same cell, with people Bob and
 * Ben, and must never be seen; `navy` lives in another cell.
 */
export class World {
  readonly state: FleetState;
  readonly environment: LocalEnvironment;
  readonly issuerKey: IssuerKey;
  readonly run = randomUUID().slice(0, 8);

  private constructor(state: FleetState, environment: LocalEnvironment, issuerKey: IssuerKey) {
    this.state = state;
    this.environment = environment;
    this.issuerKey = issuerKey;
  }

  static async enter(state: FleetState): Promise<World> {
    const stateDir = state.directoryFile.replace(/\/[^/]+$/, "");
    const environment = await openLocalEnvironment(root, stateDir, state);
    return new World(state, environment, await loadIssuerKey(state.identity.issuerKeyFile));
  }

  close(): Promise<void> {
    return this.environment.close();
  }

  /** Both ways to a cell's tenants. */
  doors(cell: string): Door[] {
    const host = new URL(
      this.state.hosts[cell === "eu" ? "eu.proveniq.io" : "api.proveniq.io"] ?? this.state.router,
    ).host;
    return [
      { name: "router", origin: this.state.router, bulk: this.state.router, host },
      { name: "cell", origin: this.apiOf(cell), bulk: this.bulkOf(cell), host },
    ];
  }

  apiOf(cell: string): string {
    const place = this.state.cells[cell];
    if (place === undefined) throw new Error(`no cell ${cell}`);
    return place.api;
  }

  bulkOf(cell: string): string {
    return this.state.cells[cell]?.bulk ?? this.apiOf(cell);
  }

  /** A tenant of its own for these tests; the same when it is there already. */
  async tenant(tenantId: string, cellId: string, databaseId?: string): Promise<string> {
    const place = databaseId === undefined ? {} : { databaseId };
    const tenant = { tenantId, name: tenantId, cellId, hosts: [], ...place };
    await patiently(() => this.environment.addTenant(tenant, operator()));
    return tenantId;
  }

  /** Many tenants at once. */
  async tenants(wanted: readonly { tenantId: string; cellId: string; databaseId: string }[]): Promise<void> {
    const tenants = wanted.map((t) => ({ ...t, name: t.tenantId, hosts: [], partner: false }));
    await seed(this.environment, tenants);
  }

  async settle(tenantId: string, settings: Partial<TenantSettings>): Promise<void> {
    const { connections, manifests } = this.environment;
    await setTenantSettings(connections, { manifests }, tenantId, settings, operator());
  }

  async key(
    tenantId: string,
    scopes: Scope[] = scope.options,
    expiresAt: Date | null = null,
  ): Promise<string> {
    const wanted = { tenantId, label: "Attack", scopes, expiresAt };
    return (await createKey(this.environment.connections, "dev", wanted, operator())).key;
  }

  async revoke(key: string): Promise<void> {
    const [, , tenant = "", keyId = ""] = key.split("_");
    await revokeKey(this.environment.connections, tenant, keyId, operator());
  }

  /** A genuine token for a cell's people, but for what `more` changes. */
  token(cell: string, claims: TokenClaims, more: Parameters<typeof mintToken>[3] = {}): Promise<string> {
    const project = this.state.cells[cell]?.project ?? "";
    return mintToken(this.issuerKey, developmentIssuer(this.state.identity.issuer, project), claims, more);
  }

  /** An honest call straight at a tenant's cell, for setting scenes and for looking afterwards. */
  async call(
    cell: string,
    credential: string,
    method: string,
    path: string,
    body?: unknown,
    headers: readonly (readonly [string, string])[] = [],
  ): Promise<WireAnswer> {
    return send(path.startsWith("/v1/imports") ? this.bulkOf(cell) : this.apiOf(cell), {
      method,
      path,
      host: "cell",
      headers: [
        ["authorization", `Bearer ${credential}`],
        ...(body === undefined ? [] : ([["content-type", "application/json"]] as const)),
        ...headers,
      ],
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Register a thing and get its id. After a flood of made-up keys a cell says 429 to new ones for a while: waits. */
  async plant(cell: string, credential: string, item: Record<string, unknown>): Promise<string> {
    const plant = () => this.call(cell, credential, "POST", "/v1/items", { category: "other", ...item });
    let answer = await plant();
    for (let tries = 0; answer.status === 429 && tries < 60; tries += 1) {
      await sleep(500);
      answer = await plant();
    }
    if (answer.status !== 201) throw new Error(`planting failed: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body).id as string;
  }
}
