import { setBounded } from "@proveniq/contracts";
import type { DirectoryPlacement, HostTable, Placed } from "./types.ts";

/**
 * Placements that cells told of before the directory did. In memory only, until the next directory is published.
 * Bounded: the oldest goes first, and is only a hint lost.
 */
export class AdoptedPlacements {
  readonly #limit: number;
  readonly #byTenant = new Map<string, Placed>();

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  remember(tenantId: string, { cellId, epoch }: Placed): void {
    setBounded(this.#byTenant, tenantId, { cellId, epoch }, this.#limit);
  }

  /** A directory was published: what it says is newer than what any cell has told. */
  clear(): void {
    this.#byTenant.clear();
  }

  /** What was adopted for the tenant, unless the directory has caught up or the cell is gone. */
  newerThan(tenantId: string, epoch: number, hosts: HostTable): DirectoryPlacement | undefined {
    if (this.#byTenant.size === 0) return undefined;
    const adopted = this.#byTenant.get(tenantId);
    if (adopted === undefined) return undefined;
    const cell = hosts.cells.get(adopted.cellId);
    if (cell !== undefined && adopted.epoch > epoch) return { cell, epoch: adopted.epoch };
    this.#byTenant.delete(tenantId);
    return undefined;
  }
}
