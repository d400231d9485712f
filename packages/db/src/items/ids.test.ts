import { itemId } from "@proveniq/contracts";
import { describe, expect, test } from "vitest";
import { autoId, hashOf, itemIdFor } from "./ids.ts";

describe("ids", () => {
  test("made up are item ids, never twice, and begin with any character", () => {
    const ids = Array.from({ length: 5_000 }, autoId);
    for (const id of ids) expect(itemId.safeParse(id).success && id.length === 20).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids.map((id) => id[0])).size).toBe(62);
  });

  test("derived are item ids, the same each time, apart for the book and each person", () => {
    const ids = [undefined, "ann", "bob"].map((owner) => itemIdFor("ACME-1", owner));
    for (const id of ids) expect(itemId.safeParse(id).success).toBe(true);
    expect(new Set(ids).size).toBe(3);
    expect(itemIdFor("ACME-1", "ann")).toBe(ids[1]);
    expect(itemIdFor("ACME-2", "ann")).not.toBe(ids[1]);
  });

  test("hash parts that cannot run into one another", () => {
    expect(hashOf("a", "bc")).not.toBe(hashOf("ab", "c"));
    expect(hashOf("a", "b")).not.toBe(hashOf('a","b'));
    expect(hashOf("a")).toMatch(/^[0-9a-f]{64}$/);
  });
});
