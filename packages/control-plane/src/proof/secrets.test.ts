import { proofSecrets, writeSecrets } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { makeSecret, rotated } from "./secrets.ts";

describe("a rotation", () => {
  const other = makeSecret("global");
  const idsOf = (secrets: readonly { id: string }[]) => secrets.map(({ id }) => id);

  it("goes from one secret to another, both believed in between", () => {
    const old = makeSecret("eu");
    const added = rotated([old, other], "eu", "add");
    const [, , next] = added;
    expect(idsOf(added)).toEqual([other.id, old.id, next?.id]);
    const switched = rotated(added, "eu", "switch");
    expect(idsOf(switched)).toEqual([other.id, next?.id, old.id]);
    const retired = rotated(switched, "eu", "retire");
    expect(idsOf(retired)).toEqual([other.id, next?.id]);
    for (const each of [added, switched, retired])
      expect(proofSecrets.parse(writeSecrets(each))).toEqual(each);
  });

  it("refuses what would leave nobody who is believed, or three", () => {
    const old = makeSecret("eu");
    expect(() => rotated([old], "eu", "retire")).toThrow("begin with --step add");
    expect(() => rotated([old], "eu", "switch")).toThrow("begin with --step add");
    expect(() => rotated([other], "eu", "switch")).toThrow("--step add makes the first");
    expect(() => rotated(rotated([old], "eu", "add"), "eu", "add")).toThrow("two secrets are there already");
    expect(rotated([other], "eu", "add")).toHaveLength(2);
  });

  it("makes no two alike", () => {
    expect(new Set(Array.from({ length: 50 }, () => makeSecret("eu").secret)).size).toBe(50);
  });
});
