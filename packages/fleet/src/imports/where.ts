import type { Environment } from "@proveniq/control-plane/environment";
import { type KeyOptions, keyUrl, readKey } from "../cli/api-key.ts";
import type { Change } from "../cli/change.ts";
import { CommandError } from "../cli/errors.ts";
import type { Where } from "../cli/where.ts";
import { readCliConfig } from "../config.ts";

export interface WhereOptions extends KeyOptions {
  url?: string;
}

/**
 * Where to send it and with which key: as asked, else the environment's own front door. `change`: what will be done there;
 * undefined when nothing is going to be changed. The key is a tenant's, who answers for what is done by it.
 */
export async function whereTo(
  where: Where,
  options: WhereOptions,
  tenant: string,
  change: Change | undefined,
  warn: (sentence: string) => void,
): Promise<{ url: string; key: string }> {
  const url = options.url === undefined ? undefined : keyUrl(options.url);
  const key = await readKey(options, readCliConfig().importKey, warn);
  if (url !== undefined) {
    if (key === undefined)
      throw new CommandError("Give the API key: PROVENIQ_KEY in the environment, or --key-file.");
    return { url, key };
  }
  const find = async ({ connections, keyOf, url: door }: Environment) => {
    const placed = await connections.control.get(tenant);
    if (placed === undefined)
      throw new CommandError(`There is no tenant ${tenant}; see \`npx fleet tenants list${where.suffix}\`.`);
    const known = key ?? keyOf(tenant);
    if (known === undefined)
      throw new CommandError(
        `Give an API key: npx fleet keys create ${tenant} --scope imports${where.suffix}, then PROVENIQ_KEY or --key-file.`,
      );
    return { url: door(placed.residency), key: known };
  };
  return change === undefined ? where.read(find) : where.mutate(change, find);
}
