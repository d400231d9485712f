import { join, resolve } from "node:path";
import type { CloudAccount } from "@proveniq/contracts";
import { fleetIn, loadFleet } from "@proveniq/control-plane";
import type { Packed } from "@proveniq/control-plane/artefact";
import { type BringUp, Google, States } from "@proveniq/control-plane/cloud";
import { readCliConfig } from "../config.ts";
import { artefactFor } from "./artefact.ts";
import { CommandError, exitCodes } from "./errors.ts";
import { root } from "./paths.ts";
import type { Where } from "./where.ts";

export interface CloudOptions {
  artefact?: string;
  images?: string;
}

/** The cloud that --env names, ready to be brought up. Rejects with what is missing of it. */
export async function openCloud(where: Where, options: CloudOptions): Promise<BringUp> {
  const { name } = where;
  if (name === "local")
    throw new CommandError(
      "This machine's fleet needs no cloud. Which one? --env production",
      exitCodes.usage,
    );
  const raw = await loadFleet(where.infra);
  const account: CloudAccount | undefined = raw.config.environments[name]?.cloud;
  if (account === undefined)
    throw new CommandError(
      `infra/fleet.json does not say who pays for ${name}: npx fleet cloud init --env ${name} --help`,
    );
  const { inherited: env } = readCliConfig();
  const fleet = fleetIn(raw, name);
  let packing: Promise<Packed> | undefined;
  const packed = () => {
    packing ??= artefactFor(options.artefact);
    return packing;
  };
  const folder = join(where.infra, "../.fleet/cloud", name);
  const images = resolve(options.images ?? join(root, ".artefacts/images"));
  const states = await States.open({ infra: where.infra, folder, name, fleet, env });
  return { fleet, account, google: new Google(env), states, packed, images };
}
