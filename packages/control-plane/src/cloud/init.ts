import {
  type CloudAccount,
  cloudAccount,
  type EnvironmentName,
  fleetConfig,
  hostname,
  parseFile,
  type Residency,
} from "@proveniq/contracts";
import { z } from "zod";
import { checkFleet } from "../fleet/check.ts";
import { environmentFaults } from "../fleet/environments.ts";
import type { Fleet } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";
import { residenciesOf } from "./bring-up.ts";

export interface InitOptions extends Pick<CloudAccount, "organisation" | "billingAccount" | "repository"> {
  name: EnvironmentName;
  domain: string;
  residencies: readonly Residency[];
  /** Of staging: behind the id of each project. */
  suffix?: string;
}

/**
 * infra/fleet.json with an environment in it, as a text; what else the file holds stays as it is. Pure. Throws `RefusedError`
 * for what cannot be, with what to do instead.
 */
export function initialised(text: string, fleet: Fleet, options: InitOptions): string {
  const { name, domain, residencies, suffix } = options;
  const { organisation, billingAccount, repository } = options;
  const zone = hostname.safeParse(domain);
  if (!zone.success) throw new RefusedError(`${domain} is no domain.`);
  const known = residenciesOf(fleet);
  const missing = residencies.filter((r) => !known.includes(r));
  const [first] = missing;
  if (first !== undefined)
    throw new RefusedError(
      `No cell of residency ${first} takes people by default. Add one: npx fleet cells add ID --residency ${first} --region REGION, and name it in "defaults" of infra/fleet.json.`,
    );
  const left = known.filter((r) => !residencies.includes(r));
  if (left.length > 0)
    throw new RefusedError(
      `infra/ has cells of residency ${left.join(" and ")} too, and all of them are brought up: say --residencies ${known.toSorted().join(",")}.`,
    );
  if (name === "production" && domain !== fleet.config.zone)
    throw new RefusedError(
      `Production is in ${fleet.config.zone}: its hosts and cells' origins are named in infra/. Put ${domain} in its place there, in fleet.json and in cells/*/cell.json, then again.`,
    );
  if (name === "production" && suffix !== undefined)
    throw new RefusedError("Production's projects are called as infra/ says: --suffix is staging's.");
  const before: CloudAccount | undefined = fleet.config.environments[name]?.cloud;
  const cloud = { ...before, organisation, billingAccount, repository };
  const valid = cloudAccount.safeParse(cloud);
  if (!valid.success) {
    const [issue] = valid.error.issues;
    throw new RefusedError(`${issue?.path.join(".")} ${issue?.message ?? "is not valid"}.`);
  }
  const { staging } = fleet.config.environments;
  const projectSuffix = suffix ?? staging?.projectSuffix ?? "-stg";
  const file = z.looseObject({ environments: z.looseObject({}) }).parse(JSON.parse(text));
  const entry = name === "production" ? { cloud } : { projectSuffix, zone: domain, cloud };
  const environments = { ...file.environments, [name]: entry };
  // The rest of the file stays as people have laid it out, if they have.
  const place = /^ {2}"environments": \{.*?^ {2}\}/ms;
  const block = JSON.stringify(environments, null, 2).replaceAll("\n", "\n  ");
  const written = place.test(text)
    ? text.replace(place, () => `  "environments": ${block}`)
    : `${JSON.stringify({ ...file, environments }, null, 2)}\n`;
  const config = parseFile(fleetConfig, "infra/fleet.json", written);
  const faults = [...checkFleet(config, fleet.manifests), ...environmentFaults(config, fleet.manifests)];
  if (faults.length > 0) throw new RefusedError([...new Set(faults)].join("\n"));
  return written;
}
