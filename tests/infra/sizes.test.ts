import { mkdirSync, writeFileSync } from "node:fs";
import { makeManifest } from "@proveniq/control-plane";
import { describe, expect, it } from "vitest";
import { fleetOf, onlyCases, ownIssuer } from "./fleet.ts";
import { faultsOf, plan } from "./plans.ts";
import { urlMapsOf } from "./policies/edge.ts";
import { hasTerraform, Infra } from "./terraform.ts";

const kinds = [
  { residency: "global", regions: ["us-central1", "us-east1", "asia-southeast1"] },
  { residency: "eu", regions: ["europe-west1", "europe-west3", "europe-north1"] },
  { residency: "us", regions: ["us-central1", "us-west1"] },
] as const;

/** Let a copy's fleet grow to so many cells, in turn of each residency and region. */
function grow(infra: Infra, count: number): void {
  const fleet = JSON.parse(infra.read("fleet.json"));
  for (let n = Object.keys(fleetOf(infra).cells).length; n < count; n++) {
    const { residency, regions } = kinds[(n + 2) % kinds.length] ?? kinds[0];
    const region = regions[Math.floor(n / kinds.length) % regions.length] ?? regions[0];
    const { config, cells } = fleetOf(infra);
    const id = `cell-${String(n).padStart(3, "0")}`;
    const issuer = residency === "eu" ? { issuer: ownIssuer } : {};
    const manifest = makeManifest({ id, region, residency, ...issuer }, config, cells);
    mkdirSync(infra.path(`cells/${id}`));
    writeFileSync(infra.path(`cells/${id}/cell.json`), JSON.stringify(manifest));
    if (residency === "us") fleet.defaults.us ??= { cell: id, tenant: "consumers-us" };
  }
  if (fleet.defaults.us !== undefined) fleet.edges.us = "proveniq-edge-us";
  if (fleet.defaults.us !== undefined) fleet.hosts["us.proveniq.io"] = { kind: "region", residency: "us" };
  writeFileSync(infra.path("fleet.json"), JSON.stringify(fleet));
}

describe.skipIf(!hasTerraform)("load balancers of a fleet of", () => {
  it.each([3, 30, 200])(
    "%i cells stay within what Google allows",
    async (count) => {
      const infra = await Infra.copy();
      try {
        onlyCases(infra);
        grow(infra, count);
        expect(Object.keys(fleetOf(infra).cells)).toHaveLength(count);
        for (const [residency, planned] of await plan(
          infra,
          "edge",
          ["global", "eu", "us"].slice(0, count > 3 ? 3 : 2),
        )) {
          expect(faultsOf(infra, "edge", residency, planned), residency).toEqual([]);
          const origins = urlMapsOf(planned)
            .flatMap((m) => m.host_rule.flatMap((r) => r.hosts))
            .filter((h) => h.includes(".cells."));
          const cells = Object.values(fleetOf(infra).cells).filter((m) => m.residency === residency);
          expect(origins).toHaveLength(2 * cells.length);
        }
      } finally {
        infra.close();
      }
    },
    240_000,
  );
});
