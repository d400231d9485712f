export { type AddedCell, addCell } from "./cells/add.ts";
export { makeManifest, type NewCell } from "./cells/manifest.ts";
export { type CellTenants, type RemovedCell, removeCell, tenantsOf } from "./cells/remove.ts";
export { type Connections, databasesOf, findCredentials, openConnections } from "./connections.ts";
export { type AskingCells, type CellIdentity, type WhoIs, whoIsOverHttp } from "./directory/ask-cells.ts";
export { buildSnapshot, type Origins, originsOf } from "./directory/build.ts";
export { changesBetween, type DirectoryChange } from "./directory/changes.ts";
export type { DirectoryTarget } from "./directory/directory-target.ts";
export type { EdgeConfigAccess } from "./directory/edge-config.ts";
export { directoryHistory, type PublishedOnce } from "./directory/history.ts";
export {
  type DirectoryDiff,
  diffDirectory,
  type Publication,
  type PublishedDirectory,
  publishDirectory,
  rollbackDirectory,
  type UsedDirectory,
  usedDirectory,
} from "./directory/publish.ts";
export { fileTarget, openTarget } from "./directory/target.ts";
export { checkFleet } from "./fleet/check.ts";
export { fleetDocument } from "./fleet/diagram.ts";
export { fleetIn } from "./fleet/environments.ts";
export { knownCell } from "./fleet/known-cell.ts";
export { type Fleet, loadFleet, loadManifests, type Manifests } from "./fleet/load.ts";
export { RefusedError } from "./refused.ts";
export { type AddedTenant, type AddTenant, addTenant } from "./tenants/add.ts";
export { listTenants } from "./tenants/list.ts";
export { removeTenant } from "./tenants/remove.ts";
