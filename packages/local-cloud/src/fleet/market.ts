import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { CellManifest, FleetConfig } from "@proveniq/contracts";
import { Market } from "@proveniq/control-plane/market";
import { stayLocal } from "../config.ts";
import { patiently } from "./patience.ts";
import type { FleetState } from "./state.ts";

/** Real market values, which a local fleet starts with. */
const seedFile = join("examples", "market", "diamonds.ndjson");

/** The market values of a local fleet, reached through the relays that `state` names. */
export class LocalMarket extends Market {
  constructor(
    state: Pick<FleetState, "central" | "cells">,
    config: Pick<FleetConfig, "central">,
    manifests: Readonly<Record<string, CellManifest>>,
  ) {
    stayLocal();
    super(config, manifests, { central: state.central.relay, cell: (id) => state.cells[id]?.relay });
  }

  /** Publish the values that a local fleet starts with. */
  async seed(root: string): Promise<void> {
    await patiently("publish market values", () => this.publish(createReadStream(join(root, seedFile))));
  }
}
