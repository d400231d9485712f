import { readFileSync } from "node:fs";
import { fleetConfig, parseFile, topology } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { clientHost, defaultTenantOf, localFleet, localHost, selectCells } from "./hosts.ts";

const file = new URL("../../../../infra/fleet.json", import.meta.url);
const fleet = parseFile(fleetConfig, "fleet.json", readFileSync(file, "utf8"));

describe("local hosts", () => {
  it.each([
    ["eu.proveniq.io", "eu.proveniq.localhost"],
    ["proveniq.io", "proveniq.localhost"],
    ["a.b.proveniq.io", "a.b.proveniq.localhost"],
    ["items.carrier.example", "items.carrier.example.localhost"],
    ["notproveniq.io", "notproveniq.io.localhost"],
    ["localhost", "localhost"],
    ["eu.proveniq.localhost", "eu.proveniq.localhost"],
  ])("%s is reached as %s", (host, local) => {
    expect(localHost(host, "proveniq.io")).toBe(local);
  });

  it.each(["eu.proveniq.io", "proveniq.io", "a.b.proveniq.io", "items.carrier.example", "notproveniq.io"])(
    "%s comes back from its local name",
    (host) => expect(clientHost(localHost(host, "proveniq.io"), "proveniq.io")).toBe(host),
  );

  it("keep what production's hosts mean, and add localhost as a global one", () => {
    const local = localFleet(fleet, ["consumer", "enterprise-a", "eu"]);
    expect(local.hosts).toEqual({
      localhost: { kind: "global" },
      "api.proveniq.localhost": { kind: "global" },
      "eu.proveniq.localhost": { kind: "region", residency: "eu" },
    });
    expect(local.defaults).toEqual(fleet.defaults);
  });

  it("leave out what needs a cell that does not run, so that the directory stays valid", () => {
    const local = localFleet(fleet, ["consumer"]);
    expect(Object.keys(local.hosts)).toEqual(["localhost", "api.proveniq.localhost"]);
    const origin = "http://127.0.0.1:8101";
    const cells = { consumer: { residency: "global", api: origin, bulk: origin } };
    expect(topology.safeParse({ hosts: local.hosts, defaults: local.defaults, cells }).success).toBe(true);
  });

  it("need the cell of those who name no tenant", () => {
    expect(() => localFleet(fleet, ["eu"])).toThrow("The cell consumer must run");
  });
});

describe("the cells of a local fleet", () => {
  it("are all of them, or those asked for in the order of their ids", () => {
    expect(selectCells(["a1", "b1", "c1"], undefined)).toEqual(["a1", "b1", "c1"]);
    expect(selectCells(["a1", "b1", "c1"], ["c1", "a1", "c1"])).toEqual(["a1", "c1"]);
    expect(() => selectCells(["a1", "b1"], ["x1", "a1"])).toThrow("There is no cell x1. Cells: a1, b1.");
  });

  it("have a default tenant only where fleet.json sends people to", () => {
    expect(defaultTenantOf(fleet, "consumer")).toBe("consumers");
    expect(defaultTenantOf(fleet, "eu")).toBe("consumers-eu");
    expect(defaultTenantOf(fleet, "enterprise-a")).toBeUndefined();
  });
});
