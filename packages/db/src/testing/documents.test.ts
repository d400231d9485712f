import { expect, test } from "vitest";
import { documentKinds, faultsOfDocument, kindOf } from "./documents.ts";

type Snapshot = Parameters<typeof faultsOfDocument>[0];

/** As much of a snapshot as is looked at. */
function snapshotOf(path: string, data: Record<string, unknown> | undefined): Snapshot {
  const id = path.split("/").at(-1);
  const get = (field: string) => data?.[field];
  return { ref: { path }, id, exists: data !== undefined, data: () => data, get } as unknown as Snapshot;
}

test.each([
  ["tenants/carrier-a", "tenants/*"],
  ["tenants/carrier-a/settings/current", "tenants/*/settings/current"],
  ["tenants/a/imports/b/chunks/3", "tenants/*/imports/*/chunks/*"],
  ["tenants/a/imports/b/sweep/count", "tenants/*/imports/*/sweep/count"],
  ["tenants/a/imports/b/sweep/other", undefined],
  ["tenants/a/photos/b", undefined],
  ["outbox", undefined],
])("%s is of the kind %s", (path, kind) => {
  expect(kindOf(path)).toBe(kind);
});

test("no path is of two kinds", () => {
  for (const kind of documentKinds) expect(kindOf(kind.replaceAll("*", "x"))).toBe(kind);
});

test("a document that can be read has no faults", () => {
  const claim = { tenantId: "carrier-a", state: "active", epoch: 1, copies: 1 };
  expect(faultsOfDocument(snapshotOf("tenants/carrier-a/claims/0", claim))).toEqual([]);
});

test.each<[string, Record<string, unknown> | undefined, string[]]>([
  ["tenants/a/photos/b", {}, ["is of no kind that is known"]],
  ["tenants/carrier-a/claims/0", undefined, ["is not there"]],
  [
    "tenants/carrier-a/claims/0",
    { tenantId: "carrier-a", state: "active", epoch: "secret", copies: 1, colour: "red" },
    ["/epoch must be a number", "/colour is not a known field"],
  ],
  ["tenants/a/items/b", { ownerId: "o" }, ["an item without a body"]],
  ["outbox/x", { page: "text" }, ["an outbox document without a page"]],
  ["centre/digests", { digests: new Uint8Array(3) }, ["not the digests of 256 buckets"]],
])("%s holding %o is refused, and nothing of it is repeated", (path, data, faults) => {
  const found = faultsOfDocument(snapshotOf(path, data));
  expect(found.map((f) => f.split(",")[0])).toEqual(faults);
  expect(found.join()).not.toContain("secret");
});
