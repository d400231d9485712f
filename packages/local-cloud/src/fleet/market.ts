import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { CellManifest, FleetConfig } from "@proveniq/contracts";
import {
  type MarketPublication,
  type MarketVerdict,
  type PublishOptions,
  publishMarket,
  readValues,
  renewMarket,
  verifyMarket,
} from "@proveniq/control-plane/market";
import { MarketPublishing } from "@proveniq/db/market/publishing";
import { DatabasePool } from "@proveniq/db/pool";
import { stayLocal } from "../config.ts";
import { patiently } from "./patience.ts";
import type { FleetState } from "./state.ts";

/** Real market values, which a local fleet starts with. */
const seedFile = join("examples", "market", "diamonds.ndjson");

/** The market values of a local fleet: what is published in the central project, and each cell's replica of it. */
export class LocalMarket {
  readonly #centre: MarketPublishing;
  readonly #cells: { cell: string; pool: DatabasePool; databaseId: string }[];
  readonly #pools: DatabasePool[];

  constructor(
    state: Pick<FleetState, "central" | "cells">,
    config: Pick<FleetConfig, "central">,
    manifests: Readonly<Record<string, CellManifest>>,
  ) {
    stayLocal();
    const { project, marketDatabase } = config.central;
    const { relay: emulatorHost } = state.central;
    const central = new DatabasePool({ projectId: project, allow: [marketDatabase], emulatorHost });
    this.#centre = new MarketPublishing(() => central.open(marketDatabase));
    this.#cells = Object.entries(manifests).flatMap(([cell, manifest]) => {
      const place = state.cells[cell];
      if (place === undefined) return [];
      const { id: databaseId } = manifest.marketDatabase;
      const options = { projectId: manifest.project, allow: [databaseId], emulatorHost: place.relay };
      return [{ cell, databaseId, pool: new DatabasePool(options) }];
    });
    this.#pools = [central, ...this.#cells.map(({ pool }) => pool)];
  }

  /** Publish what a source holds: an object on each line, or one JSON array. */
  async publish(
    source: AsyncIterable<string | Uint8Array>,
    options: PublishOptions = {},
  ): Promise<MarketPublication> {
    return publishMarket(this.#centre, await readValues(source), options);
  }

  /** Publish the values that a local fleet starts with. */
  async seed(root: string): Promise<void> {
    await patiently("publish market values", () => this.publish(createReadStream(join(root, seedFile))));
  }

  async verify(options: { repair?: boolean } = {}): Promise<MarketVerdict> {
    const access = this.#cells.map(({ cell, pool, databaseId }) => ({
      cell,
      open: () => pool.open(databaseId),
    }));
    return verifyMarket(this.#centre.published, access, options);
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
