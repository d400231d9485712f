import { CommandError } from "../cli/errors.ts";
import { withRegistry } from "../cli/registry.ts";
import { readCliConfig } from "../config.ts";

export interface WhereOptions {
  url?: string;
  key?: string;
  stateDir?: string;
}

/** Where to send it and with which key: as asked, else the fleet that runs here. */
export async function whereTo(options: WhereOptions, tenant: string): Promise<{ url: string; key: string }> {
  const key = options.key ?? readCliConfig().importKey;
  if (options.url !== undefined) {
    if (key === undefined)
      throw new CommandError("Give the API key: --key, or PROVENIQ_KEY in the environment.");
    return { url: options.url, key };
  }
  return withRegistry(options, async (registry, state) => {
    const placed = (await registry.list()).find((p) => p.tenantId === tenant);
    if (placed === undefined)
      throw new CommandError(`There is no tenant ${tenant}; see \`npx fleet tenants list\`.`);
    const local = key ?? state.identity.keys[tenant];
    if (local === undefined) {
      throw new CommandError(`Give an API key: npx fleet keys create ${tenant} --scope imports, then --key.`);
    }
    return { url: registry.urlFor(placed.residency), key: local };
  });
}
