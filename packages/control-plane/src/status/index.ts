export { placedIn, placedInCloud } from "./centre.ts";
export { judge } from "./judge.ts";
export { getJson, probe, probeCell, probeDatabase, probeMs } from "./probe.ts";
export type { CellFacts, CellPlace, Finding, FleetFacts, PlacedTenants, Probe } from "./types.ts";
