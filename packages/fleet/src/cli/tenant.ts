import type { KeyEnvironment } from "@proveniq/contracts";
import type { Connections, Fleet } from "@proveniq/control-plane";
import type { Output } from "../output/print.ts";
import { confirmTyped } from "./confirm.ts";
import { CommandError } from "./errors.ts";
import { operator, type RegistryOptions, withCloud, withRegistry } from "./registry.ts";

export interface TenantChange {
  connections: Connections;
  manifests: Fleet["manifests"];
  origin: { who: string; from: string };
  /** Of the keys that are made there. */
  environment: KeyEnvironment;
}

/** Change something of one tenant: here, or in the cloud once the id of its cell was typed again. */
export async function changeTenant<T>(
  output: Output,
  tenantId: string,
  options: RegistryOptions & { confirm?: string },
  work: (change: TenantChange) => Promise<T>,
): Promise<T> {
  const { project, confirm } = options;
  if (project === undefined)
    return withRegistry(options, ({ connections, manifests, origin }) =>
      work({ connections, manifests, origin, environment: "dev" }),
    );
  return withCloud(project, async (connections, { manifests }) => {
    const placement = await connections.control.get(tenantId);
    if (placement === undefined)
      throw new CommandError(`There is no tenant "${tenantId}". See \`fleet tenants list --project ${project}\`.`);
    const { cellId, databaseId } = placement;
    const where = `project ${manifests[cellId]?.project}, database ${databaseId}, tenant ${tenantId}`;
    output.err(`Target: cell ${cellId} in ${where}`);
    await confirmTyped(cellId, where, confirm);
    return work({ connections, manifests, origin: operator(), environment: "live" });
  });
}
