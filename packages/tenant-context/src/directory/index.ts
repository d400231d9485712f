export {
  CachedDirectory,
  type CacheLimits,
  defaultCacheLimits,
  type PlacementSource,
} from "./cached-directory.ts";
export { buildHostTable } from "./host-table.ts";
export { type PackedEntry, PlacementTable } from "./placement-table.ts";
export { RefreshedDirectory, type RefreshLimits } from "./refreshed-directory.ts";
export { type DirectoryTable, parseSnapshot } from "./snapshot.ts";
export { type Offered, SnapshotDirectory } from "./snapshot-directory.ts";
export type {
  CellRoute,
  Directory,
  DirectoryLog,
  DirectoryPlacement,
  HostRule,
  HostTable,
  LookupResult,
  Placed,
} from "./types.ts";
