import type { EnvironmentName, FleetConfig, Placement, ProofSecret } from "@proveniq/contracts";
import { openWarehouse } from "../analytics/client.ts";
import { type Connections, findCredentials, openConnections } from "../connections.ts";
import { CloudTarget, type CommandRunner, edgeHost } from "../deploy/cloud.ts";
import { whoIsOverHttp } from "../directory/ask-cells.ts";
import { originsOf } from "../directory/build.ts";
import { makeRoom } from "../directory/room.ts";
import { openTarget } from "../directory/target.ts";
import { fleetIn } from "../fleet/environments.ts";
import type { Fleet } from "../fleet/load.ts";
import { nodeProver } from "../proof/prover.ts";
import { RefusedError } from "../refused.ts";
import { gatherFacts, placedIn } from "../status/gather.ts";
import { addTenant } from "../tenants/add.ts";
import { removeTenant } from "../tenants/remove.ts";
import type { Environment } from "./types.ts";

/** What people know an environment by. */
export const titleOf = (
  name: EnvironmentName,
  { central, zone }: Pick<FleetConfig, "central" | "zone">,
): string => `${name} (${zone}, central project ${central.project})`;

/** What a cloud is reached by, besides this machine's Google credentials. */
export interface CloudAccess {
  /** Its databases, when they are others than those that infra/ names: tests keep them in an emulator. */
  connections?: Connections;
  /** Runs Terraform and gcloud, from the repository. */
  run: CommandRunner;
  /** Of the canary tenants. */
  canaryKey: string | undefined;
  /** By which cells know that the fleet asks. */
  proofSecrets: readonly ProofSecret[];
}

/**
 * A cloud that infra/fleet.json names, by this machine's Google credentials; `fleet` is infra/ as it stands. Throws
 * `RefusedError` for an environment that is not named there.
 */
export function cloudEnvironment(fleet: Fleet, name: EnvironmentName, access: CloudAccess): Environment {
  const { config, manifests } = fleetIn(fleet, name);
  const { project } = config.central;
  const prove = nodeProver(access.proofSecrets);
  const suffix = ` --env ${name}`;
  const letKnow = `Let routers know: npx fleet directory publish --to <target>${suffix}`;
  let opened = access.connections;
  const connections = () => {
    opened ??= openConnections({ config, manifests });
    return opened;
  };
  return {
    name,
    title: titleOf(name, config),
    suffix,
    config,
    manifests,
    // Cells in a cloud take live keys only.
    keys: "live",
    get connections() {
      return connections();
    },
    get warehouse() {
      return { bigquery: openWarehouse({ project }), project };
    },
    get deploys() {
      if (name !== "production")
        throw new RefusedError(
          `Nothing can be deployed to ${name} yet: infra/terraform knows production's names alone.`,
        );
      const { canaryKey, run } = access;
      return new CloudTarget({ fleet: { config, manifests }, run, canaryKey, prove });
    },
    ready: findCredentials,
    url: (residency) => `https://${edgeHost(config, residency)}`,
    hostHere: (host) => host,
    hostOfClients: (host) => host,
    keyOf: () => undefined,
    directory: (to, edgeConfig) => {
      if (to !== undefined) return openTarget(to, edgeConfig);
      throw new RefusedError("Say where with --to: an Edge Config's id, a redis:// URL or a file.");
    },
    publication: (target, origin) => ({
      target,
      control: connections().control,
      config,
      manifests,
      origins: () => originsOf(manifests),
      origin,
      whoIs: whoIsOverHttp({ prove }),
    }),
    addTenant: async (wanted, by) => {
      const room = (placement: Placement) =>
        makeRoom(connections().control, { config, manifests }, placement);
      const added = await addTenant(connections(), { config, manifests }, wanted, by, { room });
      return { ...added, next: [...(added.warning === undefined ? [] : [added.warning]), letKnow] };
    },
    removeTenant: async (tenantId, by) => {
      await removeTenant(connections(), { config, manifests }, tenantId, by);
      return [letKnow];
    },
    facts: async () => {
      // Clients that find none fail where nobody hears them.
      await findCredentials();
      return gatherFacts({
        cells: Object.entries(manifests).map(([id, m]) => ({
          id,
          ...m.origins,
          sink: undefined,
          prove: (url) => prove(m.residency, url),
          pool: connections().cell(id),
          databases: m.databases.map((d) => d.id),
          marketDatabase: m.marketDatabase.id,
          maxReplicaLagSeconds: m.maxReplicaLagSeconds,
        })),
        router: `https://${edgeHost(config, "global")}`,
        registry: () => placedIn(connections().control),
        directory: undefined,
        warehouse: () => openWarehouse({ project }).getDatasets({ maxResults: 1 }),
      });
    },
    close: async () => opened?.close(),
  };
}
