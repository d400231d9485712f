import type { BigQuery } from "@google-cloud/bigquery";
import type { EnvironmentName, KeyEnvironment, Residency } from "@proveniq/contracts";
import type { Origin } from "@proveniq/db/control";
import type { Connections } from "../connections.ts";
import type { DeployTarget } from "../deploy/types.ts";
import type { DirectoryTarget } from "../directory/directory-target.ts";
import type { EdgeConfigAccess } from "../directory/edge-config.ts";
import type { Publication } from "../directory/publish.ts";
import type { Fleet } from "../fleet/load.ts";
import type { FleetFacts } from "../status/types.ts";
import type { AddedTenant, AddTenant } from "../tenants/add.ts";

/** Where a fleet runs: on this machine, or in a cloud that infra/fleet.json names. Opens nothing before it is used. */
export interface Environment extends Fleet {
  readonly name: "local" | EnvironmentName;
  /** For people: its name, and by what they know that it is the one they mean. */
  readonly title: string;
  /** What commands about it end with: ` --env staging`; nothing for this machine. */
  readonly suffix: string;
  /** Of the API keys that its cells take. */
  readonly keys: KeyEnvironment;
  readonly connections: Connections;
  readonly warehouse: { readonly bigquery: BigQuery; readonly project: string };
  readonly deploys: DeployTarget;
  /** Resolves when it can be worked on; rejects with what is missing: a running fleet, or Google credentials. */
  readonly ready: () => Promise<void>;
  /** Its front door for tenants of a residency: an origin. */
  readonly url: (residency: Residency) => string;
  /** How requests name a host in it that production calls `host`, and the other way round. */
  readonly hostHere: (host: string) => string;
  readonly hostOfClients: (here: string) => string;
  /** The key that a tenant was given with this environment; undefined where nobody keeps one. */
  readonly keyOf: (tenantId: string) => string | undefined;
  /** Where routers read the directory: a file, a redis:// URL or an Edge Config's id; without one, where its own router does. */
  readonly directory: (to: string | undefined, edgeConfig?: EdgeConfigAccess) => DirectoryTarget;
  readonly publication: (target: DirectoryTarget, by: Origin) => Publication;
  /** Place a tenant; `next`: what remains to be done, a sentence each. */
  readonly addTenant: (wanted: AddTenant, by: Origin) => Promise<AddedTenant & { next: string[] }>;
  /** Take out a tenant without data, with the same. */
  readonly removeTenant: (tenantId: string, by: Origin) => Promise<string[]>;
  /** What each part answers, asked at once, however few of them do. */
  readonly facts: () => Promise<FleetFacts>;
  readonly close: () => Promise<void>;
}
