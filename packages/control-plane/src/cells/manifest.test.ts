import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { type Fleet, loadFleet } from "../fleet/load.ts";
import { makeManifest, type NewCell } from "./manifest.ts";
import { ownIssuer } from "./testing/scratch.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await loadFleet(fileURLToPath(new URL("../../../../infra", import.meta.url)));
});

/** No cell is called that, and none should be. */
const fresh: NewCell = { id: "zz-new", region: "europe-north1", residency: "eu", issuer: ownIssuer };
const make = (change: Partial<NewCell>) =>
  makeManifest({ ...fresh, ...change }, fleet.config, fleet.manifests);

describe("a new cell's manifest", () => {
  it("has every field written out, with databases and issuer of its own", () => {
    expect(make({})).toMatchObject({
      name: "Cell zz-new",
      tier: "region",
      project: "proveniq-prod-zz-new",
      databases: [{ id: "zz-new-main", location: "europe-north1" }],
      marketDatabase: { id: "market", location: "europe-north1" },
      origins: { api: "https://zz-new-api.cells.proveniq.io", bulk: "https://zz-new-bulk.cells.proveniq.io" },
      wave: 1,
      issuers: [{ ...ownIssuer, algorithm: "RS256" }],
    });
  });

  it("asks an EU cell for its issuer; others have Firebase Authentication of their own project", () => {
    const { issuer: _, ...unsigned } = fresh;
    const of = (cell: NewCell) => makeManifest(cell, fleet.config, fleet.manifests);
    expect(() => of(unsigned)).toThrow(/^--issuer: .*own-issuer\.md/);
    const [issuer] = of({ ...unsigned, region: "us-central1", residency: "us" }).issuers;
    expect(issuer).toMatchObject({ audience: "proveniq-prod-zz-new", jurisdiction: "us" });
  });

  it("takes what the operator says", () => {
    const made = make({
      tier: "dedicated",
      name: "Nordic Mutual",
      location: "eur3",
      wave: 0,
      database: "mutual",
    });
    expect(made).toMatchObject({
      name: "Nordic Mutual",
      wave: 0,
      databases: [{ id: "mutual", location: "eur3" }],
      marketDatabase: { id: "market", location: "eur3" },
      capacity: { bulkInstances: 10 },
    });
  });

  it("gets a replica of its own in a project that it shares", () => {
    expect(make({ project: "proveniq-prod-eu" }).marketDatabase.id).toBe("zz-new-market");
  });

  it.each<[string, Partial<NewCell>, string]>([
    ["an id in capitals", { id: "Nordic" }, '"Nordic" is no cell id: it must be 2 to 20 lower-case letters'],
    ["a path as id", { id: "../eu" }, "is no cell id"],
    // `@proveniq/cell-api` is an app: with a cell of that name nothing can be built any more.
    ["the app's name", { id: "api" }, '"api" is no cell id: it is the name of another part of the fleet'],
    ["the central project's", { id: "central" }, "is the name of another part of the fleet"],
    ["a cell's service as id", { id: "bulk-eu" }, "is the name of another part of the fleet"],
    ["an id that is taken", { id: "eu" }, 'there is a cell "eu" already: infra/cells/eu/cell.json'],
    [
      "a region that is none",
      { region: "mars" },
      '--region: "mars" is no Google Cloud location. There are eur3, ',
    ],
    ["a location that is none", { location: "mars" }, '--location: "mars" is no Google Cloud location'],
    ["a multi-region to run in", { region: "eur3" }, "--region: is a multi-region"],
    ["a region outside its residency", { region: "us-east1" }, 'us-east1 is outside the residency "eu"'],
    ["London as the EU", { region: "europe-west2" }, 'europe-west2 is outside the residency "eu"'],
    ["a residency that is none", { residency: "mars" }, "--residency: must be one of eu, us, global"],
    ["a tier that is none", { tier: "gold" }, "--tier: must be one of "],
    [
      "an issuer that processes elsewhere",
      { issuer: { ...ownIssuer, jurisdiction: "us" } },
      'it processes in "us"',
    ],
    [
      "Firebase as one that processes in the EU",
      { issuer: { ...ownIssuer, issuer: "https://securetoken.google.com/proveniq-prod-zz-new" } },
      'Firebase Authentication processes in "us"',
    ],
    [
      "an issuer without https",
      { issuer: { ...ownIssuer, jwks: "http://id.example.eu" } },
      "--jwks: must be an https",
    ],
    ["a bad project", { project: "X" }, "--project: must be a Google Cloud project id"],
    ["a bad database", { database: "X" }, "--database: must be (default) or"],
    ["a name that is empty", { name: "" }, "--name: "],
    [
      "another cell's database",
      { project: "proveniq-prod-eu", database: "eu-carriers" },
      "database proveniq-prod-eu/eu-carriers also belongs to",
    ],
  ])("is refused with the option to mend: %s", (_, change, message) => {
    expect(() => make(change)).toThrow(message);
  });

  it("tells a wrong region once, not once for each thing that is there", () => {
    expect(() => make({ region: "mars" })).toThrow(/^the cell would not be valid:\n {2}--region: [^\n]+$/);
  });
});
