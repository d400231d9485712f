import type { CellManifest, FleetConfig } from "@proveniq/contracts";
import { MarketPublishing } from "@proveniq/db/market/publishing";
import { DatabasePool } from "@proveniq/db/pool";
import { type MarketPublication, type PublishOptions, publishMarket, renewMarket } from "./publish.ts";
import { readValues } from "./read-values.ts";
import { type MarketVerdict, type ReplicaAccess, verifyMarket } from "./verify.ts";

/** Where a fleet's emulators are: the centre's, and each cell's; undefined for one that does not run. */
export interface MarketEmulators {
  central: string;
  cell(id: string): string | undefined;
}

/**
 * The market values of a fleet: what is published in the central project, and each cell's replica of it. In the cloud, by the
 * Google credentials of this machine, or in emulators. Opens nothing before it is used.
 */
export class Market {
  readonly #centre: MarketPublishing;
  readonly #replicas: ReplicaAccess[];
  readonly #pools: DatabasePool[];

  constructor(
    { central }: Pick<FleetConfig, "central">,
    manifests: Readonly<Record<string, CellManifest>>,
    emulators?: MarketEmulators,
  ) {
    const open = (projectId: string, database: string, emulatorHost: string | undefined) =>
      new DatabasePool({
        projectId,
        allow: [database],
        ...(emulatorHost === undefined ? {} : { emulatorHost }),
      });
    const centre = open(central.project, central.marketDatabase, emulators?.central);
    this.#centre = new MarketPublishing(() => centre.open(central.marketDatabase));
    const cells = Object.entries(manifests)
      .filter(([cell]) => emulators === undefined || emulators.cell(cell) !== undefined)
      .map(
        ([
          cell,
          {
            project,
            marketDatabase: { id },
          },
        ]) => ({
          cell,
          id,
          pool: open(project, id, emulators?.cell(cell)),
        }),
      );
    this.#replicas = cells.map(({ cell, id, pool }) => ({ cell, open: () => pool.open(id) }));
    this.#pools = [centre, ...cells.map(({ pool }) => pool)];
  }

  /** Publish what a source holds: an object on each line, or one JSON array. */
  async publish(
    source: AsyncIterable<string | Uint8Array>,
    options: PublishOptions = {},
  ): Promise<MarketPublication> {
    return publishMarket(this.#centre, await readValues(source), options);
  }

  /** Compare every cell's replica with what is published; with `repair` make right what differs. */
  async verify(options: { repair?: boolean } = {}): Promise<MarketVerdict> {
    return verifyMarket(this.#centre.published, this.#replicas, options);
  }

  /** Have every replica start again from what is published now. */
  async renew(): Promise<{ lineage: string; sequence: number; values: number }> {
    const { lineage, sequence, values } = await renewMarket(this.#centre);
    return { lineage, sequence, values };
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.close()));
  }
}
