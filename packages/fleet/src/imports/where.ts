import { type KeyOptions, keyUrl, readKey } from "../cli/api-key.ts";
import { CommandError } from "../cli/errors.ts";
import { withRegistry } from "../cli/registry.ts";
import { readCliConfig } from "../config.ts";

export interface WhereOptions extends KeyOptions {
  url?: string;
  stateDir?: string;
}

/** Where to send it and with which key: as asked, else the fleet that runs here. */
export async function whereTo(
  options: WhereOptions,
  tenant: string,
  warn: (sentence: string) => void,
): Promise<{ url: string; key: string }> {
  const url = options.url === undefined ? undefined : keyUrl(options.url);
  const key = await readKey(options, readCliConfig().importKey, warn);
  if (url !== undefined) {
    if (key === undefined)
      throw new CommandError("Give the API key: PROVENIQ_KEY in the environment, or --key-file.");
    return { url, key };
  }
  return withRegistry(options, async (registry, state) => {
    const placed = (await registry.list()).find((p) => p.tenantId === tenant);
    if (placed === undefined)
      throw new CommandError(`There is no tenant ${tenant}; see \`npx fleet tenants list\`.`);
    const local = key ?? state.identity.keys[tenant];
    if (local === undefined) {
      throw new CommandError(
        `Give an API key: npx fleet keys create ${tenant} --scope imports, then PROVENIQ_KEY or --key-file.`,
      );
    }
    return { url: registry.urlFor(placed.residency), key: local };
  });
}
