import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTenantId, reservedTenantIds, tenantId } from "./ids.ts";
import { itemInput, itemPatch } from "./item.ts";
import { currencyCodes, currencyDigits, money } from "./money.ts";
import { faultsOf } from "./parse.ts";

const stone = { title: "0.23 ct round", category: "jewellery" };

test("says of money beyond what a number holds exactly how much it may be", () => {
  const insuredValue = { amountMinor: 2 ** 53, currency: "EUR" };
  const refused = itemInput.safeParse({ title: "Ring", category: "jewellery", insuredValue });
  expect(refused.error?.issues[0]?.message).toBe("must be at most 9,007,199,254,740,991");
});

describe("an item", () => {
  const refused: [string, unknown][] = [
    ["no title", { category: "art" }],
    ["an unknown field", { ...stone, colour: "E" }],
    ["a tenant in the body", { ...stone, tenantId: "carrier-b" }],
    ["a category outside the list", { ...stone, category: "diamond" }],
    ["negative money", { ...stone, insuredValue: { amountMinor: -1, currency: "USD" } }],
    ["money with a fraction", { ...stone, insuredValue: { amountMinor: 1.5, currency: "USD" } }],
    ["money beyond exact integers", { ...stone, insuredValue: { amountMinor: 2 ** 53, currency: "USD" } }],
    ["a lower-case currency", { ...stone, insuredValue: { amountMinor: 1, currency: "usd" } }],
    ["a currency that is none", { ...stone, insuredValue: { amountMinor: 1, currency: "XXX" } }],
    ["a day that is none", { ...stone, acquiredOn: "2023-02-30" }],
    ["half a surrogate pair", { ...stone, title: "\ud800" }],
    ["nothing in its title", { ...stone, title: "" }],
    ["only spaces in its title", { ...stone, title: " \u00a0\t" }],
    ["only spaces in an attribute", { ...stone, attributes: { a: " " } }],
    ["a NUL", { ...stone, title: "a\u0000b" }],
    ["nested attributes", { ...stone, attributes: { a: { b: 1 } } }],
    [
      "51 attributes",
      { ...stone, attributes: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`a${n}`, n])) },
    ],
    ["an external id with a space at its end", { ...stone, externalId: "a " }],
    ["an external id with half a surrogate pair", { ...stone, externalId: "a\ud800b" }],
    ["an external id with a line break", { ...stone, externalId: "a\nb" }],
  ];
  test.each(refused)("with %s is refused", (_name, value) => {
    expect(itemInput.safeParse(value).success).toBe(false);
  });

  test("in any language is accepted as it is", () => {
    const value = { ...stone, title: "Ünïcödé 画 🎨", externalId: "Nº 7/β" };
    expect(itemInput.parse(value)).toEqual(value);
  });

  test("never takes a prototype from an attribute (the API's JSON reader refuses the key before)", () => {
    const parsed = itemInput.parse({
      ...stone,
      attributes: JSON.parse('{"__proto__": {"admin": true}, "a": 1}'),
    });
    expect(Object.keys(parsed.attributes ?? {})).toEqual(["a"]);
    expect(Object.getPrototypeOf(parsed.attributes)).toBe(Object.prototype);
  });

  test("a patch must change something and cannot change identity", () => {
    expect(itemPatch.safeParse({}).success).toBe(false);
    expect(itemPatch.safeParse({ externalId: "x" }).success).toBe(false);
    expect(itemPatch.safeParse({ ownerId: "x" }).success).toBe(false);
    expect(itemPatch.safeParse({ description: null, attributes: { a: null } }).success).toBe(true);
    expect(itemPatch.safeParse({ title: null }).success).toBe(false);
  });
});

test("a text that says nothing is one fault, not two", () => {
  const faults = (title: string) => {
    const { error } = itemInput.safeParse({ ...stone, title });
    return error === undefined ? [] : faultsOf(error).map((f) => f.message);
  };
  expect(faults("")).toEqual(["must not be empty"]);
  expect(faults(" ")).toEqual(["must not be only spaces"]);
});

describe("a tenant id", () => {
  test.each(["carrier-a", "abc", "a1b", `a${"b".repeat(39)}`])("%s is one", (id) => {
    expect(isTenantId(id)).toBe(true);
  });
  const bad = [
    "",
    "ab",
    "a",
    "A-b",
    "1ab",
    "ab-",
    "-ab",
    "a_b",
    "a b",
    "a.b",
    "аbc",
    "a\u0000b",
    `a${"b".repeat(40)}`,
  ];
  test.each([...bad, ...reservedTenantIds])("%j is none", (id) => {
    expect(isTenantId(id)).toBe(false);
  });
  test("is judged alike by the function and the schema", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9-]{0,42}$/)), (s) => {
        expect(isTenantId(s)).toBe(tenantId.safeParse(s).success);
      }),
    );
  });
});

test("money knows the digits of each currency", () => {
  expect([currencyDigits("JPY"), currencyDigits("EUR"), currencyDigits("KWD")]).toEqual([0, 2, 3]);
  expect(currencyDigits("toString")).toBeUndefined();
  expect(currencyCodes.length).toBeGreaterThan(150);
  for (const currency of currencyCodes)
    expect(money.safeParse({ amountMinor: 0, currency }).success).toBe(true);
});
