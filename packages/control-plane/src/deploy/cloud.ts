import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ArtefactRef,
  artefactRef,
  type CellManifest,
  type FleetConfig,
  type Prover,
  type Residency,
} from "@proveniq/contracts";
import { z } from "zod";
import type { Packed } from "../artefact/index.ts";
import { knownCell } from "../fleet/known-cell.ts";
import type { Fleet } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";
import { canaryTenant } from "./canary.ts";
import { canaryScopes } from "./canary-day.ts";
import { illsOf } from "./health.ts";
import { readTraffic } from "./monitoring.ts";
import type { CanaryAccess, DeployTarget, Observed } from "./types.ts";

/** One program to run, as a person could type it from the repository. */
export interface CommandLine {
  program: "gcloud" | "terraform";
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end and gives what it printed; rejects with its own words when it fails. */
export type CommandRunner = (command: CommandLine, signal?: AbortSignal) => Promise<string>;

const cellRoot = "infra/terraform/roots/cell";
const objectOf = ({ zipSha256 }: ArtefactRef) => `cells/${zipSha256}.zip`;

/** Every command that a deploy of a cell consists of, in order. Pure: what is shown is what is run. */
export const commandLines = {
  upload({ project }: FleetConfig["central"], packed: Pick<Packed, "folder" | "zip" | "sbom" | "zipSha256">) {
    const there = `gs://${project}-artefacts/cells/${packed.zipSha256}`;
    const copy = (file: string, to: string): CommandLine => ({
      program: "gcloud",
      args: ["storage", "cp", "--no-clobber", join(packed.folder, file), to],
    });
    return [copy(packed.zip, `${there}.zip`), copy(packed.sbom, `${there}.sbom.json`)];
  },
  init({ project }: FleetConfig["central"], cell: string): CommandLine {
    const backend = [`bucket=${project}-tfstate`, `prefix=cells/${cell}`];
    return terraform(cell, ["init", "-input=false", ...backend.map((each) => `-backend-config=${each}`)]);
  },
  current: (cell: string): CommandLine => terraform(cell, ["output", "-json", "artefact"]),
  plan(cell: string, artefact: ArtefactRef, planFile: string): CommandLine {
    const values = {
      cell_id: cell,
      artefact_digest: artefact.digest,
      artefact_object: objectOf(artefact),
      git_commit: artefact.commit,
    };
    const vars = Object.entries(values).map(([name, value]) => `-var=${name}=${value}`);
    return terraform(cell, ["plan", "-input=false", `-out=${planFile}`, ...vars]);
  },
  apply: (cell: string, planFile: string): CommandLine =>
    terraform(cell, ["apply", "-input=false", planFile]),
  token: (): CommandLine => ({ program: "gcloud", args: ["auth", "print-access-token"] }),
};

/** Each cell keeps its own working folder: two cells may be worked on at once. */
function terraform(cell: string, args: readonly string[]): CommandLine {
  return {
    program: "terraform",
    args: [`-chdir=${cellRoot}`, ...args],
    env: { TF_DATA_DIR: `.terraform/${cell}`, TF_IN_AUTOMATION: "1" },
  };
}

/** As a person would type it. */
export function textOf({ program, args, env = {} }: CommandLine): string {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const quoted = args.map((arg) =>
    /^[A-Za-z0-9_@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`,
  );
  return [...settings, program, ...quoted].join(" ");
}

const output = z.object({ digest: z.string(), object: z.string(), commit: z.string() });

export interface CloudOptions {
  fleet: Fleet;
  run: CommandRunner;
  /** Of the canary tenants; without it no cell can be tried. */
  canaryKey: string | undefined;
  /** Proves to cells that the fleet asks. */
  prove: Prover;
  /** Cloud Monitoring's address, for tests. */
  monitoring?: string;
}

/** Deploys by Terraform, one cell's state at a time, with the credentials of whoever runs it. */
export class CloudTarget implements DeployTarget {
  readonly name: string;
  readonly settlesWithinSeconds = 180;
  /** Its metrics come by the minute. */
  readonly usualBake = { seconds: 600, windowSeconds: 60 };
  readonly #options: CloudOptions;
  readonly #begun = new Set<string>();

  constructor(options: CloudOptions) {
    this.#options = options;
    this.name = `the cloud (central project ${options.fleet.config.central.project})`;
  }

  async current(cell: string): Promise<ArtefactRef | undefined> {
    await this.#init(cell);
    const text = await this.#options.run(commandLines.current(cell)).catch(() => undefined);
    if (text === undefined) return undefined;
    const { digest, object, commit } = output.parse(JSON.parse(text));
    const zipSha256 = object.replace(/^cells\//, "").replace(/\.zip$/, "");
    return artefactRef.parse({ digest, zipSha256, commit });
  }

  async upload(packed: Packed): Promise<void> {
    for (const command of commandLines.upload(this.#central, packed)) await this.#options.run(command);
  }

  async apply(cell: string, artefact: ArtefactRef): Promise<void> {
    await this.#init(cell);
    const folder = await mkdtemp(join(tmpdir(), "fleet-plan-"));
    const planFile = join(folder, `${cell}.tfplan`);
    try {
      await this.#options.run(commandLines.plan(cell, artefact, planFile));
      await this.#options.run(commandLines.apply(cell, planFile));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  plan(cell: string, packed: Packed): { commands: string[]; afterwards: string[] } {
    const planFile = `/tmp/${cell}.tfplan`;
    const commands = [
      commandLines.init(this.#central, cell),
      commandLines.current(cell),
      ...commandLines.upload(this.#central, packed),
      commandLines.plan(cell, packed, planFile),
      commandLines.apply(cell, planFile),
    ];
    return { commands: commands.map(textOf), afterwards: [] };
  }

  /** The platform lets go of the former revision by itself. */
  async settle(): Promise<void> {}

  canary(cell: string): Promise<CanaryAccess> {
    const { canaryKey, fleet } = this.#options;
    const tenantId = canaryTenant(cell);
    if (canaryKey === undefined)
      throw new RefusedError(
        `FLEET_CANARY_KEY is not set: a key of tenant ${tenantId} with ${canaryScopes.join(", ")}. docs/deploys.md says how to make one.`,
      );
    return Promise.resolve({
      url: `https://${edgeHost(fleet.config, this.#manifest(cell).residency)}`,
      tenantId,
      key: canaryKey,
    });
  }

  async observe(cell: string, seconds: number, signal: AbortSignal): Promise<Observed | undefined> {
    const { project, origins, residency } = this.#manifest(cell);
    const prove = (url: string) => this.#options.prove(residency, url);
    const token = async () => (await this.#options.run(commandLines.token(), signal)).trim();
    const of = (service: "api" | "bulk") =>
      readTraffic({
        api: this.#options.monitoring ?? "https://monitoring.googleapis.com",
        token,
        project,
        service: `${cell}-${service}`,
        seconds,
        signal,
      });
    const [api, bulk] = await Promise.all([of("api"), of("bulk")]);
    if (api === undefined) return undefined;
    const { requests, failed } = bulk ?? { requests: 0, failed: 0 };
    const all = { ...api, requests: api.requests + requests, failed: api.failed + failed };
    return { ...all, ill: await illsOf(origins, prove) };
  }

  get #central(): FleetConfig["central"] {
    return this.#options.fleet.config.central;
  }

  #manifest(cell: string): CellManifest {
    return knownCell(this.#options.fleet.manifests, cell);
  }

  async #init(cell: string): Promise<void> {
    if (this.#begun.has(cell)) return;
    await this.#options.run(commandLines.init(this.#central, cell));
    this.#begun.add(cell);
  }
}

/** A host of the edge that admits tenants of a residency. Throws RefusedError where there is none. */
export function edgeHost({ hosts }: Pick<FleetConfig, "hosts">, residency: Residency): string {
  const fits = Object.entries(hosts).find(([, host]) =>
    residency === "global" ? host.kind === "global" : host.kind === "region" && host.residency === residency,
  );
  if (fits === undefined)
    throw new RefusedError(`no host of fleet.json admits tenants of residency ${residency}`);
  return fits[0];
}
