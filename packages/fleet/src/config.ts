import { environmentName, type ProofSecret, proofSecrets } from "@proveniq/contracts";
import { z } from "zod";
import { CommandError, exitCodes } from "./cli/errors.ts";

const environment = z.object({
  NO_COLOR: z.string().optional(),
  FORCE_COLOR: z.string().optional(),
  npm_lifecycle_event: z.string().optional(),
  PATH: z.string().default(""),
  PROVENIQ_KEY: z.string().optional(),
  FLEET_ENV: z
    .enum(["", "local", ...environmentName.options], {
      error: `must be local, ${environmentName.options.join(" or ")}`,
    })
    .optional(),
  FLEET_INFRA: z.string().optional(),
  FLEET_CANARY_KEY: z.string().optional(),
  PROOF_SECRETS: z.union([z.literal(""), proofSecrets]).optional(),
  // Set by turbo for its tasks: what a task depends on is built by then.
  TURBO_HASH: z.string().optional(),
  EDGE_CONFIG_API_TOKEN: z.string().optional(),
  EDGE_CONFIG_TEAM: z.string().optional(),
  // Tokens go over TLS, or nowhere but this machine.
  EDGE_CONFIG_API: z
    .string()
    .regex(/^(https:\/\/|http:\/\/127\.0\.0\.1:\d+\/?$|$)/, "must be an https URL")
    .optional(),
});

/** What the CLI takes from the environment. */
export interface CliConfig {
  /** Whether colours are wanted: https://no-color.org, and never into a file. */
  colour: boolean;
  /** Whether people read what is printed. */
  terminal: boolean;
  /** Started by npm or npx. */
  underNpm: boolean;
  path: string[];
  /** The whole environment, for programs that are started. */
  inherited: NodeJS.ProcessEnv;
  /** Where commands work unless told otherwise. */
  environment: "local" | z.infer<typeof environmentName>;
  /** Where infra/ is, when it is not the repository's: that of a fleet which somebody tries out. */
  infra: string | undefined;
  /** An API key for commands that call a tenant's API. */
  importKey: string | undefined;
  /** Of the canary tenants in the cloud. */
  canaryKey: string | undefined;
  /** By which cells of the cloud know that an operator of the fleet asks. */
  proofSecrets: readonly ProofSecret[];
  /** Started as a task of turbo, which has built what the task depends on. */
  underTurbo: boolean;
  /** For publishing to an Edge Config. */
  edgeConfig: { token: string; team?: string; api?: string } | undefined;
}

/** The environment of a fleet that outlives the npm which asked for it. */
export function detachedEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const { npm_lifecycle_event: _, ...rest } = env;
  return rest;
}

export function readCliConfig(
  env: NodeJS.ProcessEnv = process.env,
  tty: boolean = process.stdout.isTTY,
): CliConfig {
  const checked = environment.safeParse(env);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw new CommandError(`${issue?.path.join(".")} ${issue?.message}.`, exitCodes.usage);
  }
  const parsed = checked.data;
  const forced = parsed.FORCE_COLOR !== undefined && parsed.FORCE_COLOR !== "0" && parsed.FORCE_COLOR !== "";
  const refused = parsed.NO_COLOR !== undefined && parsed.NO_COLOR !== "";
  return {
    colour: forced || (!refused && tty),
    terminal: tty,
    underNpm: parsed.npm_lifecycle_event !== undefined,
    environment: parsed.FLEET_ENV === undefined || parsed.FLEET_ENV === "" ? "local" : parsed.FLEET_ENV,
    infra: parsed.FLEET_INFRA === "" ? undefined : parsed.FLEET_INFRA,
    importKey: parsed.PROVENIQ_KEY === "" ? undefined : parsed.PROVENIQ_KEY,
    canaryKey: parsed.FLEET_CANARY_KEY === "" ? undefined : parsed.FLEET_CANARY_KEY,
    proofSecrets: parsed.PROOF_SECRETS === "" ? [] : (parsed.PROOF_SECRETS ?? []),
    underTurbo: parsed.TURBO_HASH !== undefined,
    edgeConfig: edgeConfigOf(parsed),
    inherited: env,
    path: parsed.PATH.split(":").filter((folder) => folder !== ""),
  };
}

function edgeConfigOf(env: z.infer<typeof environment>): CliConfig["edgeConfig"] {
  const { EDGE_CONFIG_API_TOKEN: token = "", EDGE_CONFIG_TEAM: team = "", EDGE_CONFIG_API: api = "" } = env;
  if (token === "") return undefined;
  return { token, ...(team === "" ? {} : { team }), ...(api === "" ? {} : { api }) };
}
