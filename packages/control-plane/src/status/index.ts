export { type FleetPlaces, gatherFacts, placedIn } from "./gather.ts";
export { judge } from "./judge.ts";
export { getJson } from "./probe.ts";
export { type Trouble, trouble } from "./troubles.ts";
export type {
  CellFacts,
  CellPlace,
  Finding,
  FleetFacts,
  PlacedTenants,
  Probe,
  PublishedPlaces,
} from "./types.ts";
