import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Placement } from "@proveniq/contracts";
import { beforeAll, describe, expect, it } from "vitest";
import { type Fleet, loadFleet } from "../fleet/load.ts";
import { auditResidency } from "./audit.ts";

const infra = join(fileURLToPath(new URL("../../../..", import.meta.url)), "infra");
const nord: Placement = {
  tenantId: "atelier-nord",
  name: "Atelier Nord",
  cellId: "eu",
  databaseId: "eu-carriers",
  epoch: 1,
  residency: "eu",
  hosts: ["nordic-mutual.proveniq.io"],
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};
let fleet: Fleet;
beforeAll(async () => {
  fleet = await loadFleet(infra);
});

const breaches = (placement: Placement, of: Fleet) =>
  auditResidency(placement, of).evidence.flatMap(({ what, name, breach }) =>
    breach === null ? [] : [`${what} ${name}: ${breach}`],
  );
const withEu = (change: object): Fleet => {
  const { eu } = fleet.manifests;
  if (eu === undefined) throw new Error("there is no cell eu");
  return { ...fleet, manifests: { ...fleet.manifests, eu: { ...eu, ...change } } };
};

describe("the evidence of a tenant's residency", () => {
  it("names every kind of place, each with where it is declared", () => {
    const { evidence } = auditResidency(nord, fleet);
    expect(new Set(evidence.map((e) => e.what))).toEqual(
      new Set([
        "registry",
        "host",
        "load balancer",
        "router",
        "function",
        "database",
        "backup",
        "logs",
        "secret",
        "warehouse",
        "identity",
      ]),
    );
    expect(evidence.every((e) => e.declaredIn !== "")).toBe(true);
    expect(breaches(nord, fleet)).toEqual([]);
  });

  it("tells each breach", () => {
    expect(breaches({ ...nord, residency: "global" }, fleet)).toEqual([
      'registry cell eu, hosts nordic-mutual.proveniq.io: the registry promises "global", and cell eu promises "eu"',
    ]);
    expect(breaches({ ...nord, cellId: "gone", hosts: [] }, fleet)).toEqual([
      "registry cell gone: the registry places it in gone, and there is no such cell",
    ]);
    expect(breaches({ ...nord, databaseId: "eu-lost" }, fleet)).toEqual([
      "database eu-lost: cell eu has no database eu-lost",
    ]);
    expect(breaches({ ...nord, hosts: ["shop.example.com"] }, fleet)).toEqual([
      'host shop.example.com: no load balancer of "eu" serves it: add it to ownHosts',
    ]);
    const moved = withEu({ region: "us-central1" });
    expect(breaches(nord, moved).map((b) => b.split(":")[0])).toEqual([
      "host eu.proveniq.io",
      "host nordic-mutual.proveniq.io",
      "load balancer edge-eu-us-central1",
      "router router-eu",
      "function eu-api",
      "function eu-bulk",
      "function eu-replicate",
      "function eu-sink",
      "secret analytics-key-eu-<day>",
      "logs proveniq-prod-eu/proveniq",
      "logs proveniq-edge-eu/proveniq",
    ]);
    const abroad = {
      ...fleet,
      config: { ...fleet.config, warehouse: { ...fleet.config.warehouse, eu: "nam5" as const } },
    };
    expect(breaches(nord, abroad)).toEqual(['warehouse raw_eu: nam5 is outside "eu"']);
  });
});
