import { category, condition, currencyDigits } from "@proveniq/contracts";

/**
 * True for most of what the item's schema takes, and for nothing that it would refuse or change: a row that looks like that need not
 * go through the schema, which would be a fifth of all that reading a row costs. When in doubt it is false.
 */
export function isPlainItem(item: Readonly<Record<string, unknown>>): boolean {
  if (item["title"] === undefined || item["category"] === undefined) return false;
  for (const name of Object.keys(item)) {
    const looksRight = looks.get(name);
    if (looksRight === undefined || !looksRight(item[name])) return false;
  }
  return true;
}

type Look = (value: unknown) => boolean;

const text =
  (max: number): Look =>
  (value) =>
    typeof value === "string" &&
    value.length <= max &&
    // The first character decides for nearly all; a blank one leaves it to the schema.
    value.charCodeAt(0) > 0x20 &&
    !value.includes("\u0000") &&
    value.isWellFormed() &&
    /\S/u.test(value);

const oneOf = (words: readonly string[]): Look => {
  const known: ReadonlySet<unknown> = new Set(words);
  return (value) => known.has(value);
};

const shaped =
  (shape: RegExp, max: number): Look =>
  (value) =>
    typeof value === "string" && value.length <= max && shape.test(value);

const money: Look = (value) => {
  if (!isRecord(value)) return false;
  const { amountMinor, currency, ...more } = value;
  return (
    Number.isSafeInteger(amountMinor) &&
    Number(amountMinor) >= 0 &&
    !Object.is(amountMinor, -0) &&
    typeof currency === "string" &&
    currencyDigits(currency) !== undefined &&
    Object.keys(more).length === 0
  );
};

const attributeName = /^[A-Za-z][A-Za-z0-9_]{0,39}$/u;
const attributeText = text(500);

const attributes: Look = (value) => {
  if (!isRecord(value)) return false;
  const names = Object.keys(value);
  return (
    names.length <= 50 &&
    names.every((name) => {
      const each = value[name];
      if (!attributeName.test(name)) return false;
      if (typeof each === "number") return Number.isFinite(each) && !Object.is(each, -0);
      return typeof each === "boolean" || attributeText(each);
    })
  );
};

const looks: ReadonlyMap<string, Look> = new Map<string, Look>([
  ["title", text(300)],
  ["description", text(5000)],
  ["category", oneOf(category.options)],
  ["condition", oneOf(condition.options)],
  ["externalId", shaped(/^[!-~](?:[ -~]*[!-~])?$/u, 200)],
  ["marketKey", shaped(/^[a-z0-9]+(?:[:._-][a-z0-9]+)*$/u, 120)],
  ["insuredValue", money],
  ["purchasePrice", money],
  // Of leap days the schema knows more.
  [
    "acquiredOn",
    shaped(
      /^[1-9]\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)$/u,
      10,
    ),
  ],
  ["serialNumber", text(120)],
  ["location", text(200)],
  ["attributes", attributes],
  ["ownerId", shaped(/^[A-Za-z0-9][A-Za-z0-9_.:@|-]{0,127}$/u, 128)],
]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
