import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fleetConfig } from "./fleet.ts";
import { cellManifest } from "./manifest.ts";
import { faultsOf, parseFile } from "./parse.ts";

const infra = new URL("../../../infra/", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, infra), "utf8");
const cells = readdirSync(new URL("cells/", infra));
const eu = () => structuredClone(parseFile(cellManifest, "eu", read("cells/eu/cell.json")));
type Edit = (m: ReturnType<typeof eu>) => unknown;

describe("the manifests in infra/", () => {
  test.each(cells)("%s is valid", (id) => {
    expect(parseFile(cellManifest, id, read(`cells/${id}/cell.json`)).databases.length).toBeGreaterThan(0);
  });
  test("fleet.json is valid", () => {
    expect(parseFile(fleetConfig, "fleet.json", read("fleet.json")).zone).toBe("proveniq.io");
  });
});

describe("a manifest is refused", () => {
  const refused: [string, string, Edit][] = [
    ["an unknown key", "/colour", (m) => ({ ...m, colour: "blue" })],
    ["a missing key", "/wave", (m) => ({ ...m, wave: undefined })],
    ["an unknown key inside", "/capacity/speed", (m) => ({ ...m, capacity: { ...m.capacity, speed: 1 } })],
    ["an EU cell in London", "/region", (m) => ({ ...m, region: "europe-west2" })],
    ["an EU cell in Zurich", "/region", (m) => ({ ...m, region: "europe-west6" })],
    ["an EU cell in Iowa", "/region", (m) => ({ ...m, region: "us-central1" })],
    ["functions in a multi-region", "/region", (m) => ({ ...m, region: "eur3" })],
    [
      "an EU database in the US",
      "/databases/0/location",
      (m) => ({ ...m, databases: [{ id: "eu-partners", location: "nam5" }] }),
    ],
    [
      "EU market values in the US",
      "/marketDatabase/location",
      (m) => ({ ...m, marketDatabase: { id: "market", location: "nam5" } }),
    ],
    ["no database", "/databases", (m) => ({ ...m, databases: [] })],
    ["a database twice", "/databases/2/id", (m) => ({ ...m, databases: [...m.databases, m.databases[0]] })],
    [
      "tenants in the market database",
      "/marketDatabase/id",
      (m) => ({ ...m, marketDatabase: m.databases[0] }),
    ],
    [
      "a path in an origin",
      "/origins/api",
      (m) => ({ ...m, origins: { ...m.origins, api: "https://a.b/x" } }),
    ],
    [
      "an issuer over plain http",
      "/issuers/0/jwks",
      (m) => ({ ...m, issuers: m.issuers.map((i) => ({ ...i, jwks: "http://127.0.0.1/jwks" })) }),
    ],
    ["an issuer twice", "/issuers/1/issuer", (m) => ({ ...m, issuers: [...m.issuers, ...m.issuers] })],
    ["no issuer", "/issuers", (m) => ({ ...m, issuers: [] })],
    [
      "an issuer with a symmetric algorithm",
      "/issuers/0/algorithm",
      (m) => ({ ...m, issuers: m.issuers.map((i) => ({ ...i, algorithm: "HS256" })) }),
    ],
    ["a plain http origin", "/origins/api", (m) => ({ ...m, origins: { ...m.origins, api: "http://a.b" } })],
    ["a bad database id", "/databases/0/id", (m) => ({ ...m, databases: [{ id: "EU", location: "eur3" }] })],
  ];
  test.each(refused)("%s", (_name, path, edit) => {
    const parsed = cellManifest.safeParse(edit(eu()));
    expect(parsed.success).toBe(false);
    expect(parsed.error && faultsOf(parsed.error).map((f) => f.path)).toContain(path);
  });

  test("all faults are told together, with the file's name", () => {
    const bad = JSON.stringify({ ...eu(), wave: -1, project: "?" });
    expect(() => parseFile(cellManifest, "cells/eu/cell.json", bad)).toThrow(
      /cells\/eu\/cell\.json is not valid:\n {2}\/project: .*\n {2}\/wave: /,
    );
    expect(() => parseFile(cellManifest, "x.json", "{")).toThrow(/x\.json is not valid JSON/);
  });
});
