import type { Registry } from "@proveniq/db/control";
import type { UsedDirectory } from "../directory/publish.ts";
import { probe, probeCell, probeDatabase } from "./probe.ts";
import type { Trouble } from "./troubles.ts";
import type { CellPlace, FleetFacts, PlacedTenants, PublishedPlaces } from "./types.ts";

/** Where the parts of a fleet are, and how those are asked that have no address. */
export interface FleetPlaces {
  cells: readonly (CellPlace & { id: string })[];
  /** Origin of the router. */
  router: string;
  registry: () => Promise<PlacedTenants>;
  /** Undefined: it is not told where that is. */
  directory: (() => Promise<PublishedPlaces>) | undefined;
  /** Undefined: the router cannot be asked what it uses. */
  used?: (() => Promise<UsedDirectory>) | undefined;
  warehouse: (signal: AbortSignal) => Promise<unknown>;
  /** Undefined: nobody here has started them. */
  troubles?: () => Promise<Trouble[]>;
}

/** Ask everything at once. */
export async function gatherFacts(places: FleetPlaces): Promise<FleetFacts> {
  const [cells, router, registry, directory, used, warehouse, troubles] = await Promise.all([
    Promise.all(places.cells.map((place) => probeCell(place.id, place))),
    // The router answers for itself there; any other path is a cell's.
    probe((signal) => answers(`${places.router}/health`, signal)),
    probeDatabase(places.registry),
    places.directory === undefined ? undefined : probe(places.directory),
    places.used === undefined ? undefined : probe(places.used),
    probe((signal) => places.warehouse(signal).then(() => true as const)),
    places.troubles === undefined ? undefined : probe(places.troubles),
  ]);
  return { at: new Date().toISOString(), cells, router, registry, directory, used, warehouse, troubles };
}

/** Who is placed where, as the registry says. */
export async function placedIn(registry: Registry): Promise<PlacedTenants> {
  const { version, placements } = await registry.snapshot();
  const tenants = placements.map(({ tenantId, cellId, epoch }) => [tenantId, { cellId, epoch }] as const);
  return { version, tenants: Object.fromEntries(tenants) };
}

/** Whatever the answer is. */
async function answers(url: string, signal: AbortSignal): Promise<true> {
  const response = await fetch(url, { signal, redirect: "error" });
  await response.body?.cancel();
  return true;
}
