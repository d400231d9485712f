import { domainEvent, itemInput, itemPatch } from "@proveniq/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyInput, anyPatch } from "../testing/items.ts";
import { changedFields, eventOf, patched } from "./changes.ts";

const owned = anyInput.map((input) => ({ ...input, ownerId: input.ownerId ?? "owner" }));
const kept = (record: object) =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && value !== undefined));
const itemId = "b7Jq2mX9aL0cV4tR8sWd";

describe("patched", () => {
  test("is RFC 7396: absent stays, null removes, attributes key by key", () => {
    fc.assert(
      fc.property(owned, anyPatch, (input, patch) => {
        const after = patched(input, patch);
        const { attributes, ...fields } = patch;
        const merged = attributes === undefined ? input.attributes : { ...input.attributes, ...attributes };
        const wanted = {
          ...input,
          ...fields,
          attributes: attributes === null ? null : merged && kept(merged),
        };
        expect(after).toEqual(kept(wanted));
        expect(itemInput.safeParse(after).error).toBeUndefined();
        expect(Object.values(after)).not.toContain(undefined);
      }),
    );
  });

  test("twice is as good as once", () => {
    fc.assert(
      fc.property(owned, anyPatch, (input, patch) => {
        const once = patched(input, patch);
        expect(changedFields(once, patched(once, patch))).toEqual([]);
      }),
    );
  });

  test("keeps an empty map as an empty map", () => {
    const input = {
      title: "Ring",
      category: "jewellery" as const,
      ownerId: "o",
      attributes: { cut: "Ideal" },
    };
    expect(patched(input, itemPatch.parse({ attributes: { cut: null } })).attributes).toEqual({});
  });
});

describe("eventOf", () => {
  const stamp = {
    id: `${itemId}.0`,
    tenantId: "carrier-a",
    epoch: 1,
    actor: { kind: "key", id: "k" },
    via: "api",
    occurredAt: "2026-01-01T00:00:00.000Z",
  };

  test("is a valid event, and the deltas of a life add up to nothing", () => {
    fc.assert(
      fc.property(owned, owned, (a, b) => {
        const after = { ...b, ownerId: a.ownerId };
        const life = [
          eventOf(itemId, undefined, a),
          eventOf(itemId, a, after),
          eventOf(itemId, after, undefined),
        ];
        const sums: Record<string, bigint> = {};
        for (const event of life) {
          expect(domainEvent.safeParse({ ...stamp, ...event }).error).toBeUndefined();
          expect(Object.values(event.deltas.insuredMinor)).not.toContain(0);
          for (const [currency, n] of Object.entries(event.deltas.insuredMinor)) {
            sums[currency] = (sums[currency] ?? 0n) + BigInt(n);
          }
        }
        expect(life.map((e) => e.deltas.items)).toEqual([1, 0, -1]);
        expect(Object.values(sums).every((sum) => sum === 0n)).toBe(true);
      }),
    );
  });

  test("names what changed and carries no free text", () => {
    const before = {
      title: "Ring",
      category: "jewellery" as const,
      ownerId: "o",
      location: "safe in the cellar",
    };
    const event = eventOf(itemId, before, { ...before, title: "Band", condition: "good" });
    expect(event.changed).toEqual(["condition", "title"]);
    expect(JSON.stringify(event)).not.toMatch(/Ring|Band|cellar/);
  });
});
