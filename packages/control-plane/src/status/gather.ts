import type { Registry } from "@proveniq/db/control";
import { probe, probeCell, probeDatabase } from "./probe.ts";
import type { CellPlace, FleetFacts, PlacedTenants } from "./types.ts";

/** Where the parts of a fleet are, and how those are asked that have no address. */
export interface FleetPlaces {
  cells: readonly (CellPlace & { id: string })[];
  /** Origin of the router. */
  router: string;
  registry: () => Promise<PlacedTenants>;
  /** Undefined: it is not told where that is. */
  directory: (() => Promise<PlacedTenants>) | undefined;
  warehouse: (signal: AbortSignal) => Promise<unknown>;
}

/** Ask everything at once. */
export async function gatherFacts(places: FleetPlaces): Promise<FleetFacts> {
  const [cells, router, registry, directory, warehouse] = await Promise.all([
    Promise.all(places.cells.map((place) => probeCell(place.id, place))),
    probe((signal) => answers(`${places.router}/v1/cell`, signal)),
    probeDatabase(places.registry),
    places.directory === undefined ? undefined : probe(places.directory),
    probe((signal) => places.warehouse(signal).then(() => true as const)),
  ]);
  return { at: new Date().toISOString(), cells, router, registry, directory, warehouse };
}

/** Who is placed where, as the registry says. */
export async function placedIn(registry: Registry): Promise<PlacedTenants> {
  const { version, placements } = await registry.snapshot();
  const tenants = placements.map(({ tenantId, cellId, epoch }) => [tenantId, { cellId, epoch }] as const);
  return { version, tenants: Object.fromEntries(tenants) };
}

/** Whatever the answer is: an answer of the router for a dead cell is not a dead router. */
async function answers(url: string, signal: AbortSignal): Promise<true> {
  const response = await fetch(url, { signal, redirect: "error" });
  await response.body?.cancel();
  return true;
}
