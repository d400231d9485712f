import { cellManifest, fleetConfig } from "@proveniq/contracts";
import { describe, expect, test } from "vitest";
import { config, manifest, manifests } from "../testing.ts";
import { checkFleet } from "./check.ts";
import { fleetIn } from "./environments.ts";

const fleet = {
  config: {
    ...config,
    pinnedTenants: { "carrier-a": { cell: "consumer", hosts: ["carrier-a.proveniq.io"] } },
    ownHosts: { "nordic.proveniq.io": "eu" as const },
    environments: { production: {}, staging: { projectSuffix: "-stg", zone: "proveniq-staging.io" } },
  },
  manifests: {
    ...manifests,
    consumer: manifest("consumer", {
      issuers: [
        {
          issuer: "https://securetoken.google.com/proveniq-prod-consumer",
          audience: "proveniq-prod-consumer",
          jwks: "https://www.googleapis.com/jwk",
          algorithm: "RS256",
        },
        {
          issuer: "https://login.partner.example",
          audience: "x",
          jwks: "https://login.partner.example/k",
          algorithm: "RS256",
        },
      ],
    }),
  },
};

describe("an environment", () => {
  test("production is what infra/ says", () => {
    expect(fleetIn(fleet, "production")).toBe(fleet);
  });

  test("staging has the same cells under projects and hosts of its own", () => {
    const staging = fleetIn(fleet, "staging");
    expect(staging.config).toMatchObject({
      zone: "proveniq-staging.io",
      hosts: { "api.proveniq-staging.io": { kind: "global" }, "eu.proveniq-staging.io": { residency: "eu" } },
      central: { ...config.central, project: "proveniq-central-stg" },
      edges: { eu: "proveniq-edge-eu-stg" },
      pinnedTenants: { "carrier-a": { cell: "consumer", hosts: ["carrier-a.proveniq-staging.io"] } },
      ownHosts: { "nordic.proveniq-staging.io": "eu" },
    });
    const { consumer } = staging.manifests;
    expect(consumer).toMatchObject({
      project: "proveniq-prod-consumer-stg",
      origins: {
        api: "https://consumer-api.cells.proveniq-staging.io",
        bulk: "https://consumer-bulk.cells.proveniq-staging.io",
      },
      databases: fleet.manifests.consumer.databases,
    });
    expect(consumer?.issuers.map(({ issuer, audience }) => [issuer, audience])).toEqual([
      ["https://securetoken.google.com/proveniq-prod-consumer-stg", "proveniq-prod-consumer-stg"],
      ["https://login.partner.example", "x"],
    ]);
    expect(fleetConfig.parse(staging.config)).toEqual(staging.config);
    for (const each of Object.values(staging.manifests)) expect(cellManifest.parse(each)).toEqual(each);
  });

  test("names nothing that production has", () => {
    const { config: derived, manifests: cells } = fleetIn(fleet, "staging");
    const text = JSON.stringify({ ...derived, alerts: [], cells });
    expect(text).not.toMatch(/proveniq\.io|proveniq-(central|prod-consumer|prod-eu|edge-eu)"/);
  });

  test("that fleet.json does not name is refused", () => {
    const alone = { ...fleet, config: { ...fleet.config, environments: { production: {} } } };
    expect(() => fleetIn(alone, "staging")).toThrow("infra/fleet.json names no environment staging.");
  });
});

describe("staging's names", () => {
  const staged = (projectSuffix: string) => ({
    ...fleet.config,
    environments: { production: {}, staging: { projectSuffix, zone: "proveniq-staging.io" } },
  });

  test("fit, or are told one by one", () => {
    expect(checkFleet(fleet.config, fleet.manifests)).toEqual([]);
    expect(checkFleet(staged("-toolong1"), fleet.manifests)).toEqual([
      'fleet.json, environments.staging: "proveniq-prod-consumer-toolong1" is no project id (6 to 30 characters)',
    ]);
    const taken = { ...fleet.manifests, eu: { ...manifests.eu, project: "proveniq-prod-consumer-stg" } };
    expect(checkFleet(fleet.config, taken)).toEqual([
      "fleet.json, environments.staging: proveniq-prod-consumer-stg is production's",
    ]);
  });

  test.each(["proveniq.io", "staging.proveniq.io", "io"])(
    "the zone %s overlaps with production's",
    (zone) => {
      const environments = { production: {}, staging: { projectSuffix: "-stg", zone } };
      const { error } = fleetConfig.safeParse({ ...config, environments });
      expect(error?.issues.map((i) => [i.path.join("."), i.message.includes("overlap")])).toEqual([
        ["environments.staging.zone", true],
      ]);
    },
  );
});
