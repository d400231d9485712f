import {
  type CellManifest,
  cellManifest,
  type FleetConfig,
  fleetConfig,
  parseFile,
  type Residency,
} from "@proveniq/contracts";
import { caseDirectory } from "../../apps/router/src/decide/cases.ts";
import type { Infra, Root } from "./terraform.ts";

export const repository = "proveniq/cells";
export const analysts = ["group:analysts@proveniq.io"];
const digest = "a".repeat(64);
/** The zip that cells run. */
export const artefactObject = `cells/${"b".repeat(64)}.zip`;
export const billingAccount = "000000-000000-000000";
const artefact = {
  artefact_digest: digest,
  artefact_object: artefactObject,
  git_commit: "c0ffee",
  billing_account: billingAccount,
};
/** A collector of traces within a residency. */
const collector = (residency: Residency) => ({
  endpoint: "https://traces.example",
  ratio: 0.01,
  jurisdiction: residency === "global" ? "other" : residency,
});

/** Who signs people in within the EU, for cells that tests add. */
export const ownIssuer = {
  issuer: "https://id.example.eu/realms/proveniq",
  audience: "proveniq",
  jwks: "https://id.example.eu/realms/proveniq/protocol/openid-connect/certs",
  jurisdiction: "eu",
} as const;

export interface Fleet {
  config: FleetConfig;
  cells: Record<string, CellManifest>;
}

/** fleet.json and the manifests of a copy, which a test may have changed. */
export function fleetOf(infra: Infra): Fleet {
  const ids = infra.cells();
  return {
    config: parseFile(fleetConfig, "fleet.json", infra.read("fleet.json")),
    cells: Object.fromEntries(
      ids.map((id) => {
        const file = `cells/${id}/cell.json`;
        return [id, parseFile(cellManifest, file, infra.read(file))];
      }),
    ),
  };
}

/** Leave only the cells that the router's cases are about: what has been added since makes no difference to a test. */
export function onlyCases(infra: Infra): void {
  for (const id of Object.keys(fleetOf(infra).cells)) {
    if (!Object.hasOwn(caseDirectory.topology.cells, id)) infra.removeCell(id);
  }
}

export const residenciesOf = ({ cells, config }: Fleet): Residency[] =>
  (["global", "eu", "us"] as const).filter(
    (r) => config.defaults[r] !== undefined && Object.values(cells).some((m) => m.residency === r),
  );

export const projectsOf = ({ cells, config }: Fleet): string[] => [
  ...new Set([
    config.central.project,
    ...Object.values(config.edges),
    ...Object.values(cells).map((m) => m.project),
  ]),
];

/** What there is to plan: every root, once for each thing that has a state of its own. */
export function everything(fleet: Fleet): [Root, string[]][] {
  return [
    ["cell", Object.keys(fleet.cells)],
    ["edge", residenciesOf(fleet)],
    ["project", projectsOf(fleet)],
    ["central", ["central"]],
    ["bootstrap", ["bootstrap"]],
  ];
}

/** What a state's plan is told, beside the files. */
export function stateVariables({ config, cells }: Fleet, root: Root, name: string): Record<string, unknown> {
  if (root === "cell")
    return { cell_id: name, ...artefact, traces: collector(cells[name]?.residency ?? "global") };
  if (root === "edge") {
    const residency = name as Residency;
    const project = residency === "global" ? config.central.project : config.edges[residency];
    const region = cells[config.defaults[residency]?.cell ?? ""]?.region;
    const image = `${region}-docker.pkg.dev/${project}/router/router@sha256:${digest}`;
    return { residency, router_image: image, traces: collector(residency) };
  }
  if (root === "project") return { project: name };
  if (root === "bootstrap") return { repository };
  const { project, region = "" } = {
    ...config.central,
    region: cells[config.defaults.global?.cell ?? ""]?.region,
  };
  const publisher_image = `${region}-docker.pkg.dev/${project}/router/publisher@sha256:${digest}`;
  return { analysts, publisher_image };
}

/** Where a residency's front door is. */
export function doorOf({ config }: Pick<Fleet, "config">, residency: Residency): string {
  const project = residency === "global" ? config.central.project : config.edges[residency];
  if (project === undefined)
    throw new Error(`fleet.json names no project for the front door of ${residency}`);
  return project;
}
