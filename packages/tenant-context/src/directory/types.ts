import type { Residency } from "@proveniq/contracts";

/** Where a router reaches a cell. Origins carry no path: `https://eu-api.cells.proveniq.io`. */
export interface CellRoute {
  readonly id: string;
  readonly residency: Residency;
  readonly api: string;
  readonly bulk: string;
}

/** Which cell holds a tenant, as the directory has it: a hint, never a right. */
export interface DirectoryPlacement {
  readonly cell: CellRoute;
  readonly epoch: number;
}

/** A cell and an epoch, by name: as a request was sent on, or as a cell tells it. */
export interface Placed {
  readonly cellId: string;
  readonly epoch: number;
}

/** `unknown`: no such tenant. `unavailable`: nobody can say, because the source is down and nothing is remembered. */
export type LookupResult = DirectoryPlacement | "unknown" | "unavailable";

/** Whom a host admits, with the target of those who name no tenant. */
export type HostRule =
  | { readonly kind: "global"; readonly defaultTenant: string; readonly defaultCell: CellRoute }
  | {
      readonly kind: "region";
      readonly residency: Residency;
      readonly defaultTenant: string;
      readonly defaultCell: CellRoute;
    }
  | { readonly kind: "tenant"; readonly tenantId: string };

/** The part of the directory that is always in memory. Keys of `hosts` are lower-case names without a port. */
export interface HostTable {
  readonly version: number;
  readonly hosts: ReadonlyMap<string, HostRule>;
  readonly cells: ReadonlyMap<string, CellRoute>;
}

/** What the router decides by. A look-up may answer later, but never waits while any value is known. */
export interface Directory {
  /** Undefined until a first directory was read. */
  hostTable(): HostTable | undefined;
  lookup(tenantId: string): LookupResult | Promise<LookupResult>;
  /**
   * The cell `asked` said who holds the tenant now. Believed for one move beyond what is known, to another cell that
   * exists, and until the next directory is published; a move further ahead has the directory read again at once, in the
   * background. True when there is now another cell to ask.
   */
  adopt(tenantId: string, asked: Placed, told: Placed): boolean;
}

/** Where readers say what they believed, what they did not, and why. Never with a tenant's data. */
export type DirectoryLog = (
  level: "info" | "warn",
  message: string,
  facts: Record<string, string | number>,
) => void;
