import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Placement } from "@proveniq/contracts";
import { beforeAll, describe, expect, it } from "vitest";
import { type Fleet, loadFleet } from "../fleet/load.ts";
import { auditResidency } from "./audit.ts";
import { type Evidence, plannedBreach } from "./evidence.ts";

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
  auditResidency(placement, of, "2026-12-01").evidence.flatMap(({ what, name, breach }) =>
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
        "point in time recovery",
        "backup",
        "logs",
        "traces",
        "metrics",
        "error reporting",
        "secret",
        "artefact",
        "directory",
        "canary",
        "warehouse",
        "issuer",
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
      "logs of functions and databases",
      "logs of router and load balancer",
      "secret edge-config-eu",
      "secret fleet-proof-eu",
      "canary canary-key-eu",
    ]);
    const abroad = {
      ...fleet,
      config: { ...fleet.config, warehouse: { ...fleet.config.warehouse, eu: "nam5" as const } },
    };
    expect(breaches(nord, abroad)).toEqual(['warehouse raw_eu: nam5 is outside "eu"']);
  });
});

/** What the plans of these files hold for a line's resource, as Terraform writes it. */
function valuesOf({ what, location }: Evidence): object {
  if (what === "secret" || what === "canary")
    return { replication: [{ user_managed: [{ replicas: [{ location }] }] }] };
  if (what === "identity") return { member: "serviceAccount:x" };
  const recovery = "POINT_IN_TIME_RECOVERY_ENABLED";
  if (what === "database") return { location_id: location };
  if (what === "point in time recovery")
    return { location_id: location, point_in_time_recovery_enablement: recovery };
  return { location };
}

describe("planted faults, each named", () => {
  const withConfig = (change: object): Fleet => ({ ...fleet, config: { ...fleet.config, ...change } });
  const eu = () => fleet.manifests["eu"] ?? expect.fail("there is no cell eu");
  const issuer = (change: object): Fleet => {
    const [first, ...rest] = eu().issuers;
    return withEu({ issuers: [{ ...first, ...change }, ...rest] });
  };
  const declared: [string, () => [Placement, Fleet], string][] = [
    ["a US issuer", () => [nord, issuer({ exemption: undefined })], "issuer https://securetoken"],
    [
      "an exemption that ended",
      () => [nord, issuer({ exemption: { ...eu().issuers[0]?.exemption, until: "2026-11-30" } })],
      "issuer",
    ],
    ["a US issuer that says it is in the EU", () => [nord, issuer({ jurisdiction: "eu" })], "issuer"],
    ["an issuer that does not say", () => [nord, issuer({ jurisdiction: undefined })], "issuer"],
    ["functions in the US", () => [nord, withEu({ region: "us-central1" })], "function eu-api"],
    [
      "a US database",
      () => [nord, withEu({ databases: [eu().databases[0], { id: "eu-carriers", location: "nam5" }] })],
      "database proveniq-prod-eu/eu-carriers",
    ],
    [
      "London as the EU",
      () => [
        nord,
        withEu({ databases: [{ id: "eu-partners", location: "europe-west2" }, eu().databases[1]] }),
      ],
      "database proveniq-prod-eu/eu-partners",
    ],
    [
      "EU rows in a US dataset",
      () => [nord, withConfig({ warehouse: { ...fleet.config.warehouse, eu: "us-central1" } })],
      "warehouse raw_eu",
    ],
    [
      "no front door in the EU",
      () => [nord, withConfig({ defaults: { global: fleet.config.defaults.global } })],
      "host eu",
    ],
    [
      "a host of the global door",
      () => [nord, withConfig({ ownHosts: { "nordic-mutual.proveniq.io": "global" } })],
      "host nordic-mutual",
    ],
    [
      "a placement in a US cell",
      () => [{ ...nord, cellId: "consumer", databaseId: "(default)", hosts: [] }, fleet],
      "registry cell consumer",
    ],
    [
      "a database that is not the cell's",
      () => [{ ...nord, databaseId: "eu-lost" }, fleet],
      "database eu-lost",
    ],
  ];
  it.each(declared)("declared: %s", (_, plant, named) => {
    const found = breaches(...plant());
    expect(
      found.filter((b) => b.startsWith(named)),
      found.join("\n"),
    ).not.toEqual([]);
  });

  const plans: [string, (e: Evidence) => boolean, object | undefined, RegExp][] = [
    [
      "a US log bucket",
      (e) => e.name.startsWith("of functions"),
      { location: "us-central1" },
      /^logs of functions.*us-central1/,
    ],
    [
      "a global log bucket of the door",
      (e) => e.name.startsWith("of router"),
      { location: "global" },
      /^logs of router.*global/,
    ],
    [
      "a router in the US",
      (e) => e.what === "router",
      { location: "us-central1" },
      /^router router-eu.*us-central1/,
    ],
    [
      "a global load balancer",
      (e) => e.what === "load balancer",
      undefined,
      /^load balancer .*no plan makes/,
    ],
    [
      "a multi-region database, and so its backups",
      (e) => e.what === "database",
      { location_id: "nam5" },
      /^database .*nam5/,
    ],
    [
      "no point in time recovery",
      (e) => e.what === "point in time recovery",
      { location_id: "europe-west1" },
      /^point in time recovery .*no point/,
    ],
    [
      "a global secret",
      (e) => e.name === "fleet-proof-eu",
      { replication: [{ auto: [{}] }] },
      /^secret fleet-proof-eu.*global/,
    ],
    [
      "a secret with a second copy in the US",
      (e) => e.name === "edge-config-eu",
      {
        replication: [
          { user_managed: [{ replicas: [{ location: "europe-west1" }, { location: "us-east1" }] }] },
        ],
      },
      /^secret edge-config-eu.*us-east1/,
    ],
    [
      "a canary's key kept anywhere",
      (e) => e.what === "canary",
      { replication: [{ auto: [{}] }] },
      /^canary canary-key-eu.*global/,
    ],
    ["a dataset in the US", (e) => e.name === "raw_eu", { location: "US" }, /^warehouse raw_eu.*us/],
    [
      "a function in the US",
      (e) => e.name === "eu-sink",
      { location: "us-central1" },
      /^function eu-sink.*us-central1/,
    ],
  ];
  it.each(plans)("planned: %s", (_, which, values, named) => {
    const { evidence } = auditResidency(nord, fleet, "2026-12-01");
    const judged = (plant: boolean) =>
      evidence.flatMap((line) => {
        const breach = plannedBreach(line, plant && which(line) ? values : valuesOf(line));
        return breach === null ? [] : [`${line.what} ${line.name}: ${breach}`];
      });
    expect(judged(false)).toEqual([]);
    const found = judged(true);
    expect(found[0]).toMatch(named);
  });

  it("tells an exemption by its name, and breaks nothing by it", () => {
    const [line] = auditResidency(nord, fleet, "2026-12-01").evidence.filter((e) => e.what === "issuer");
    expect(line).toMatchObject({
      breach: null,
      exemption: expect.stringContaining("firebase-until-own-issuer"),
    });
  });
});
