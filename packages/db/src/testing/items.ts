import { externalId, type ItemInput, type ItemPatch, itemInput, itemPatch } from "@proveniq/contracts";
import fc from "fast-check";

const text = (max: number) =>
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .filter((s) => s.length <= max && !s.includes("\u0000") && /\S/.test(s));
const word = fc.stringMatching(/^[a-z0-9]{1,8}(:[a-z0-9]{1,8})?$/);
const money = fc.record({
  amountMinor: fc.oneof(fc.nat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER)),
  currency: fc.constantFrom("EUR", "USD", "JPY", "KWD"),
});
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(
    0,
    -0,
    0.1,
    1e300,
    5e-324,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    2 ** 53,
    2 ** 63,
  ),
);
const value = fc.oneof(text(500), number, fc.boolean());
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,12}$/);
const category = fc.constantFrom("jewellery" as const, "watch" as const, "other" as const);

const fields = {
  description: text(5000),
  condition: fc.constantFrom("new" as const, "poor" as const),
  marketKey: word,
  insuredValue: money,
  purchasePrice: money,
  acquiredOn: fc.constantFrom("2024-02-29", "1900-01-01"),
  serialNumber: text(120),
  location: text(200),
};

/** Any item that a client may put in. */
export const anyInput: fc.Arbitrary<ItemInput> = fc
  .record(
    {
      ...fields,
      title: text(300),
      category,
      externalId: fc
        .oneof(fc.string({ minLength: 1, maxLength: 40, unit: "binary" }), text(200), word)
        .filter((id) => externalId.safeParse(id).success),
      ownerId: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.:@|-]{0,20}$/),
      attributes: fc.dictionary(name, value, { maxKeys: 8 }),
    },
    { requiredKeys: ["title", "category"] },
  )
  .map((input) => itemInput.parse({ ...input }));

const orNull = <T>(arb: fc.Arbitrary<T>) => fc.oneof({ weight: 3, arbitrary: arb }, fc.constant(null));

/** Any change that a client may ask for. */
export const anyPatch: fc.Arbitrary<ItemPatch> = fc
  .record(
    {
      ...Object.fromEntries(Object.entries(fields).map(([key, arb]) => [key, orNull<unknown>(arb)])),
      title: text(300),
      category,
      attributes: orNull(fc.dictionary(name, orNull(value), { maxKeys: 8 })),
    },
    { requiredKeys: [] },
  )
  .filter((patch) => Object.keys(patch).length > 0)
  .map((patch) => itemPatch.parse({ ...patch }));
