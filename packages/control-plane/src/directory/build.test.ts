import { describe, expect, test } from "vitest";
import { config, manifests, place } from "../testing.ts";
import { buildSnapshot, originsOf } from "./build.ts";

const at = new Date("2026-01-02T00:00:00.000Z");
const origins = originsOf(manifests);
const build = (placements = [place("carrier-a")], version = 7) =>
  buildSnapshot({ version, placements }, config, manifests, origins, at);

describe("buildSnapshot", () => {
  test("projects the registry: cell and epoch of each tenant, hosts, topology", () => {
    const placements = [place("nordic", { epoch: 3, hosts: ["nordic.proveniq.io"] }), place("atelier")];
    expect(build(placements)).toEqual({
      version: 7,
      publishedAt: at.toISOString(),
      topology: {
        hosts: config.hosts,
        defaults: config.defaults,
        cells: {
          consumer: { residency: "global", ...manifests.consumer.origins },
          eu: { residency: "eu", ...manifests.eu.origins },
        },
      },
      tenants: { atelier: ["eu", 1], nordic: ["eu", 3] },
      tenantHosts: { "nordic.proveniq.io": "nordic" },
    });
  });

  test("does not depend on the order in which the registry lists", () => {
    const placements = [place("aaa"), place("bbb"), place("ccc")];
    expect(JSON.stringify(build(placements))).toBe(JSON.stringify(build(placements.toReversed())));
  });

  test.each([
    ["a cell that does not exist", [place("carrier-a", { cellId: "gone" })], "names the unknown cell gone"],
    ["a residency its cell does not keep", [place("carrier-a", { cellId: "consumer" })], 'was promised "eu"'],
    ["a host of the fleet", [place("carrier-a", { hosts: ["eu.proveniq.io"] })], "is a host of the fleet"],
    [
      "a host twice",
      [place("carrier-a", { hosts: ["x.proveniq.io"] }), place("carrier-b", { hosts: ["x.proveniq.io"] })],
      "host x.proveniq.io is claimed by two tenants",
    ],
  ])("refuses %s", (_, placements, message) => {
    expect(() => build(placements)).toThrow(message);
  });

  test("refuses a pinned tenant anywhere but where load balancers send it", () => {
    const pinned = { ...config, pinnedTenants: { "carrier-a": { cell: "consumer", hosts: [] } } };
    const registry = { version: 1, placements: [place("carrier-a")] };
    expect(() => buildSnapshot(registry, pinned, manifests, origins, at)).toThrow(
      "tenant carrier-a is placed in eu, and load balancers send it to consumer",
    );
  });

  test("refuses a cell that nobody can reach, and a version before the first", () => {
    const consumer = origins["consumer"];
    if (consumer === undefined) throw new Error("no origin");
    const registry = { version: 1, placements: [] };
    expect(() => buildSnapshot(registry, config, manifests, { consumer }, at)).toThrow(
      "cell eu has no origin",
    );
    expect(() => build([], 0)).toThrow("/version");
  });
});
