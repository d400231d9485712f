import type { Residency } from "@proveniq/contracts";
import type { CommandLine } from "../deploy/index.ts";

/** Where the cloud keeps the secrets of a residency. */
export const secretName = (residency: Residency): string => `fleet-proof-${residency}`;

/** How they are read and written. Their text goes through files and pipes, never over a command line. */
export const secretCommands = {
  read: (project: string, residency: Residency): CommandLine => ({
    program: "gcloud",
    args: [
      "secrets",
      "versions",
      "access",
      "latest",
      `--secret=${secretName(residency)}`,
      `--project=${project}`,
    ],
  }),
  write: (project: string, residency: Residency, file: string): CommandLine => ({
    program: "gcloud",
    args: [
      "secrets",
      "versions",
      "add",
      secretName(residency),
      `--data-file=${file}`,
      `--project=${project}`,
    ],
  }),
};
