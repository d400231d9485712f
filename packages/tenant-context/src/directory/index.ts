export { buildHostTable } from "./host-table.ts";
export { type PackedEntry, PlacementTable } from "./placement-table.ts";
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
} from "./types.ts";
