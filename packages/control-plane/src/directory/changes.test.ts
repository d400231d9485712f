import type { DirectorySnapshot } from "@proveniq/contracts";
import { describe, expect, test } from "vitest";
import { config, manifests, place } from "../testing.ts";
import { buildSnapshot, originsOf } from "./build.ts";
import { changesBetween, faultsOfChange } from "./changes.ts";

const of = (...placements: ReturnType<typeof place>[]): DirectorySnapshot =>
  buildSnapshot({ version: 1, placements }, config, manifests, originsOf(manifests), new Date(0));
const one = of(place("atelier", { epoch: 3, hosts: ["atelier.example.com"] }));
const moved = (cell: "consumer" | "eu", epoch: number): DirectorySnapshot => ({
  ...one,
  tenants: { atelier: [cell, epoch] },
});

describe("changesBetween", () => {
  test("finds none in the same content under another version", () => {
    expect(changesBetween(one, { ...one, version: 9, publishedAt: "2027-01-01T00:00:00.000Z" })).toEqual([]);
  });

  test("tells what came, changed and went", () => {
    const next = of(place("atelier", { epoch: 4 }), place("galerie"));
    const cells = { ...next.topology.cells, eu: { residency: "eu", api: "https://a", bulk: "https://b" } };
    const after = { ...next, topology: { ...next.topology, cells } } as DirectorySnapshot;
    const told = changesBetween(one, after).map((c) => [c.kind, c.what, c.name, c.before, c.after]);
    expect(told).toEqual([
      ["changed", "cell", "eu", expect.stringContaining("eu-api.cells"), "eu, https://a, https://b"],
      ["changed", "tenant", "atelier", "eu, epoch 3", "eu, epoch 4"],
      ["added", "tenant", "galerie", null, "eu, epoch 1"],
      ["removed", "host", "atelier.example.com", "tenant atelier", null],
    ]);
  });

  test("lists all of a first directory as added", () => {
    expect(new Set(changesBetween(undefined, one).map((c) => c.kind))).toEqual(new Set(["added"]));
  });
});

describe("faultsOfChange", () => {
  test.each([
    ["nothing has changed", one],
    ["a tenant moved under a greater epoch", moved("consumer", 4)],
    ["a tenant is back under a greater epoch", moved("eu", 5)],
    ["a tenant came", of(place("atelier", { epoch: 3 }), place("galerie"))],
  ])("has nothing to say when %s", (_, after) => {
    expect(faultsOfChange(one, after)).toEqual([]);
  });

  test.each([
    ["drops a tenant", of(place("galerie")), "tenant atelier (cell eu, epoch 3) would be dropped"],
    ["moves one by the same epoch", moved("consumer", 3), "tenant atelier would go from eu to consumer"],
    ["lowers an epoch", moved("eu", 2), "the epoch of tenant atelier would fall from 3 to 2"],
    ["lowers an epoch by a move", moved("consumer", 2), "would fall from 3 to 2"],
  ])("refuses one that %s", (_, after, message) => {
    expect(faultsOfChange(one, after)).toEqual([expect.stringContaining(message)]);
  });
});
