import {
  type CellManifest,
  cellId,
  cellManifest,
  type Fault,
  type FleetConfig,
  faultsOf,
  isInside,
  type Location,
  locationJurisdiction,
  residency,
} from "@proveniq/contracts";
import { checkFleet } from "../fleet/check.ts";
import type { Manifests } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";
import { dayOf, identityFaults } from "../residency/identity.ts";

/** What an operator says of a new cell; the rest follows from it. */
export interface NewCell {
  id: string;
  region: string;
  residency: string;
  /** region unless told otherwise. */
  tier?: string;
  name?: string;
  /** Google Cloud project; `proveniq-prod-<id>` unless told otherwise. */
  project?: string;
  /** Its first database; `<id>-main` unless told otherwise. */
  database?: string;
  /** Where its databases are kept, such as eur3; its region unless told otherwise. */
  location?: string;
  /** In which wave a release reaches it. */
  wave?: number;
  /** Who signs its people in; Firebase Authentication of its project unless told otherwise, which an EU cell cannot have. */
  issuer?: { issuer: string; audience: string; jwks: string; jurisdiction: string; algorithm?: string };
}

type Sizes = Pick<CellManifest, "capacity" | "quota">;

function sizes(instances: [api: number, bulk: number], writesPerSecond: number, tenantRate: number): Sizes {
  const [apiInstances, bulkInstances] = instances;
  return {
    capacity: { apiInstances, bulkInstances, concurrency: 80, writesPerSecond },
    quota: { tenantRequestsPerSecond: tenantRate, personRequestsPerSecond: 20 },
  };
}

/** By tier: what such a cell starts with. Written out into the manifest, where it is changed from then on. */
const sizesOf: Record<CellManifest["tier"], Sizes> = {
  consumer: sizes([20, 2], 1000, 2000),
  region: sizes([10, 4], 4000, 500),
  dedicated: sizes([10, 10], 8000, 2000),
};

const advice: Record<string, string> = {
  "/region": "--region",
  "/residency": "--residency",
  "/tier": "--tier",
  "/name": "--name",
  "/project": "--project",
  "/databases/0/id": "--database",
  "/databases/0/location": "--location",
  "/wave": "--wave",
  "/issuers/0/issuer": "--issuer",
  "/issuers/0/audience": "--audience",
  "/issuers/0/jwks": "--jwks",
  "/issuers/0/jurisdiction": "--jurisdiction",
  "/issuers/0/algorithm": "--algorithm",
};

/** The whole manifest of a new cell. Pure. Throws `RefusedError` that names every fault by the option it came from. */
export function makeManifest(
  cell: NewCell,
  config: FleetConfig,
  existing: Manifests,
  now = new Date(),
): CellManifest {
  const id = cellId.safeParse(cell.id);
  if (!id.success) {
    throw new RefusedError(`"${cell.id}" is no cell id: it ${id.error.issues[0]?.message ?? "is malformed"}`);
  }
  if (Object.hasOwn(existing, cell.id)) {
    throw new RefusedError(`there is a cell "${cell.id}" already: infra/cells/${cell.id}/cell.json`);
  }
  if (cell.issuer === undefined && cell.residency === "eu") {
    throw new RefusedError(
      "--issuer: say who signs the people of an EU cell in, with --audience, --jwks and --jurisdiction. Firebase Authentication " +
        "processes in the United States: docs/runbooks/own-issuer.md says how to run an issuer of your own",
    );
  }
  const project = cell.project ?? `proveniq-prod-${cell.id}`;
  const location = cell.location ?? cell.region;
  const tier = cell.tier ?? "region";
  const parsed = cellManifest.safeParse({
    name: cell.name ?? `Cell ${cell.id}`,
    tier,
    region: cell.region,
    residency: cell.residency,
    project,
    databases: [{ id: cell.database ?? `${cell.id}-main`, location }],
    marketDatabase: { id: marketDatabaseId(cell.id, project, existing), location },
    origins: {
      api: `https://${cell.id}-api.cells.${config.zone}`,
      bulk: `https://${cell.id}-bulk.cells.${config.zone}`,
    },
    wave: cell.wave ?? 1,
    ...sizesOf[isTier(tier) ? tier : "region"],
    issuers: [cell.issuer === undefined ? firebaseIssuer(project) : { algorithm: "RS256", ...cell.issuer }],
    maxReplicaLagSeconds: 300,
  });
  if (!parsed.success) {
    throw new RefusedError(`the cell would not be valid:\n${sentences(faultsOf(parsed.error), cell)}`);
  }
  const faults = checkFleet(config, { ...existing, [cell.id]: parsed.data });
  faults.push(...identityFaults(cell.id, parsed.data, dayOf(now)));
  if (faults.length > 0) throw new RefusedError(`the cell does not fit the fleet:\n  ${faults.join("\n  ")}`);
  return parsed.data;
}

/** Each fault once, under the option that it is about; what follows from a wrong region is not told again. */
function sentences(faults: Fault[], cell: NewCell): string {
  const regionIsWrong = faults.some((f) => f.path === "/region");
  const derived = (path: string) =>
    path === "/marketDatabase/location" || (path === "/databases/0/location" && cell.location === undefined);
  const told = faults.filter((f) => !(derived(f.path) && regionIsWrong));
  return told.map((f) => `  ${advice[f.path] ?? f.path}: ${sentence(f, cell)}`).join("\n");
}

/** A place that does not exist: say which do, of those that the residency allows. */
function sentence(fault: Fault, cell: NewCell): string {
  const place = { "/region": cell.region, "/databases/0/location": cell.location }[fault.path];
  if (place === undefined || Object.hasOwn(locationJurisdiction, place)) return fault.message;
  const promised = residency.safeParse(cell.residency);
  const all = Object.keys(locationJurisdiction) as Location[];
  const fitting = promised.success ? all.filter((l) => isInside(l, promised.data)) : all;
  return `"${place}" is no Google Cloud location. There are ${fitting.join(", ")}`;
}

function isTier(tier: string): tier is CellManifest["tier"] {
  return Object.hasOwn(sizesOf, tier);
}

/** Firebase Authentication of the cell's own project. */
function firebaseIssuer(project: string): CellManifest["issuers"][number] {
  return {
    issuer: `https://securetoken.google.com/${project}`,
    audience: project,
    jwks: "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
    algorithm: "RS256",
    jurisdiction: "us",
  };
}

/** `market`, but two cells that share a project each need a replica of their own. */
function marketDatabaseId(id: string, project: string, existing: Manifests): string {
  const shared = Object.values(existing).some(
    (m) => m.project === project && m.marketDatabase.id === "market",
  );
  return shared ? `${id}-market` : "market";
}
