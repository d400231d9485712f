export type { Connections } from "./connections.ts";
export { buildSnapshot, type Origins, originsOf } from "./directory/build.ts";
export { type Publication, publishDirectory } from "./directory/publish.ts";
export { checkFleet } from "./fleet/check.ts";
export { type Fleet, loadFleet, loadManifests, type Manifests } from "./fleet/load.ts";
export { RefusedError } from "./refused.ts";
export { type AddedTenant, type AddTenant, addTenant } from "./tenants/add.ts";
export { listTenants } from "./tenants/list.ts";
