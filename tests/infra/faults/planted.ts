import type { Root } from "../terraform.ts";

/** A mistake that somebody could make in a file of infra/, and the name by which it must be caught. */
export interface PlantedFault {
  name: string;
  file: string;
  from: string | RegExp;
  to: string;
  /** Whose plan shows it. */
  root: Root;
  plan: string;
  /** Only the provider itself sees it: the schema alone says nothing against it. */
  byProvider?: true;
  /** `<policy>: …` of a policy, or what Terraform or a schema says. */
  caughtBy: RegExp;
}
