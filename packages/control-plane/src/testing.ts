import { readFileSync } from "node:fs";
import {
  type CellManifest,
  cellManifest,
  type FleetConfig,
  fleetConfig,
  type Placement,
  parseFile,
} from "@proveniq/contracts";

const read = (file: string) => readFileSync(new URL(`../../../infra/${file}`, import.meta.url), "utf8");

/** A fleet of two cells that fits together; for tests. What they do not care about is as in the real one. */
export const config: FleetConfig = {
  ...parseFile(fleetConfig, "fleet.json", read("fleet.json")),
  zone: "proveniq.io",
  hosts: {
    "api.proveniq.io": { kind: "global" },
    "eu.proveniq.io": { kind: "region", residency: "eu" },
  },
  defaults: { global: { cell: "consumer", tenant: "consumers" }, eu: { cell: "eu", tenant: "consumers-eu" } },
  pinnedTenants: {},
  ownHosts: {},
};

const model = parseFile(cellManifest, "cell.json", read("cells/consumer/cell.json"));

export function manifest(id: string, more: Partial<CellManifest> = {}): CellManifest {
  return {
    ...model,
    name: id,
    tier: "region",
    region: "us-central1",
    residency: "global",
    project: `proveniq-prod-${id}`,
    databases: [{ id: "(default)", location: "nam5" }],
    marketDatabase: { id: "market", location: "nam5" },
    origins: { api: `https://${id}-api.cells.proveniq.io`, bulk: `https://${id}-bulk.cells.proveniq.io` },
    ...more,
  };
}

export const manifests = {
  consumer: manifest("consumer"),
  eu: manifest("eu", {
    region: "europe-west1",
    residency: "eu",
    databases: [
      { id: "eu-partners", location: "europe-west1" },
      { id: "eu-carriers", location: "europe-west1" },
    ],
    marketDatabase: { id: "market", location: "europe-west1" },
  }),
};

export function place(tenantId: string, more: Partial<Placement> = {}): Placement {
  const at = "2026-01-01T00:00:00.000Z";
  const where = { cellId: "eu", databaseId: "eu-partners", residency: "eu", epoch: 1 } as const;
  return { tenantId, name: tenantId, ...where, hosts: [], createdAt: at, updatedAt: at, ...more };
}
