export { localFleet, localHost } from "./hosts.ts";
export { type LocalPerson, mintLocalToken } from "./identity.ts";
export { busyFleetPorts, planFleet } from "./plan.ts";
export { defaultPortBase, localPorts, maxPortBase } from "./ports.ts";
export { LocalRegistry } from "./registry.ts";
export { sampleTenant, seedTenants } from "./seeds.ts";
export { startFleet } from "./start.ts";
export { type FleetState, readState, runningState } from "./state.ts";
export { FleetConflict, type FleetLine, type FleetOptions, type RunningFleet } from "./types.ts";
