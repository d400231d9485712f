import type { NumberForm } from "@proveniq/contracts";

/** A decimal number without loss: `12.50` is {negative: false, whole: "12", decimals: "50"}. */
export interface Decimal {
  negative: boolean;
  whole: string;
  decimals: string;
}

/** Longer texts are no numbers that anybody wrote; what reads one need not be ready for a megabyte of zeros. */
const longestNumber = 100;
const blanks = /[ \u00a0\u2007\u2009\u202f]/gu;
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");

/** How groups may be separated: an apostrophe is also a typographic one, a space also a no-break or thin one. */
function separator(grouping: NumberForm["grouping"]): string {
  return grouping === "'" ? "['\u2019]" : escaped(grouping);
}

/**
 * Make the reader of one form. The reader answers undefined for a text in any other form. `found` hears of each of `signs` that stood
 * before or after the number; where several begin alike the longest counts.
 */
export function numberReader(
  form: NumberForm,
  signs: readonly string[] = [],
): (text: string, found?: (sign: string) => void) => Decimal | undefined {
  const group = separator(form.grouping);
  // A group never begins with 0: `0.305` is no 305 to anybody.
  const whole = form.grouping === "none" ? "\\d+" : `[1-9]\\d{0,2}(?:${group}\\d{3})+|\\d+`;
  const shape = new RegExp(`^(${whole})?(?:${escaped(form.decimal)}(\\d+))?$`, "u");
  const isSign = new Set(signs.map(unitOf));
  const units = [...new Set([...form.strip.map(unitOf), ...isSign])]
    .filter((unit) => unit !== "")
    .sort((a, b) => b.length - a.length);

  const bare = (text: string, found: (sign: string) => void): string => {
    let left = text.trim();
    for (const unit of units) {
      const before = left.startsWith(unit);
      if (before) left = left.slice(unit.length).trimStart();
      const after = left.endsWith(unit);
      if (after) left = left.slice(0, -unit.length).trimEnd();
      if ((before || after) && isSign.has(unit)) found(unit);
    }
    return left;
  };

  const decimalOf = (digits: string, negative: boolean): Decimal | undefined => {
    const match = digits === "" ? null : shape.exec(digits);
    if (match === null) return undefined;
    const [, written = "0", decimals = ""] = match;
    const grouped = form.grouping !== "none" && written.length > 3;
    const digit = grouped ? written.replace(/\D/gu, "") : written;
    return { negative, whole: digit.startsWith("0") ? withoutZeros(digit) : digit, decimals };
  };
  // Most numbers are digits and nothing else; no unit of theirs could be one of these digits.
  const straight = units.every((unit) => /^[^\d.,]/u.test(unit) && /[^\d.,]$/u.test(unit));

  return (text, found = ignore) => {
    if (text.length > longestNumber) return undefined;
    const at = straight ? decimalOf(text, false) : undefined;
    if (at !== undefined) return at;
    const { negative, rest } = sign(bare(text.replace(blanks, " "), found), form.negative);
    return decimalOf(negative === undefined ? rest : bare(rest, found), negative === "-");
  };
}

const withoutZeros = (digits: string) => digits.replace(/^0+(?=\d)/u, "");

const ignore = () => undefined;

/** A unit or sign as it is looked for: blanks of every kind are alike. */
export function unitOf(unit: string): string {
  return unit.replace(blanks, " ").trim();
}

/** Take the sign off a number, where its form has it. */
function sign(text: string, form: NumberForm["negative"]): { negative?: "-" | "+"; rest: string } {
  if (form === "parentheses" && text.startsWith("(") && text.endsWith(")")) {
    return { negative: "-", rest: text.slice(1, -1) };
  }
  if (form === "trailing" && text.endsWith("-")) return { negative: "-", rest: text.slice(0, -1) };
  if (form === "leading" && /^[-\u2212]/u.test(text)) return { negative: "-", rest: text.slice(1) };
  return text.startsWith("+") ? { negative: "+", rest: text.slice(1) } : { rest: text };
}

/** Any decimal of so many digits comes back from a number as it was written. */
const safeDigits = 15;

/** The number that a decimal names; undefined when its digits would not be the same afterwards. */
export function toNumber({ negative, whole, decimals }: Decimal): number | undefined {
  const value = Number(`${negative ? "-" : ""}${whole}.${decimals === "" ? "0" : decimals}`);
  // Minus zero is zero.
  if (whole.length + decimals.length <= safeDigits) return value + 0;
  return holds(value, whole, decimals) ? value + 0 : undefined;
}

/**
 * True when a number says what these digits say: written out it has them again, or they are the seventeen that programs write to name
 * exactly this number (0.28999999999999998).
 */
function holds(value: number, whole: string, decimals: string): boolean {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) return false;
  const digits = significant(`${whole}${decimals}`);
  if (digits.length > 17) return false;
  if (digits === "") return true;
  return digits === digitsOf(String(value)) || digits === digitsOf(value.toPrecision(17));
}

/** Without zeros at either end. `/0+$/` would try every zero of every run. */
function significant(digits: string): string {
  let from = 0;
  let to = digits.length;
  while (digits.charCodeAt(from) === 0x30) from++;
  while (to > from && digits.charCodeAt(to - 1) === 0x30) to--;
  return digits.slice(from, to);
}

const digitsOf = (written: string) => significant((written.split("e", 1)[0] ?? "").replace(/\D/gu, ""));

/**
 * The number that a token of JSON names, such as `-1.50e3`; undefined when its digits would not be the same afterwards.
 */
export function exactJsonNumber(source: string): number | undefined {
  const value = Number(source);
  if (source.length <= safeDigits && !/e/iu.test(source)) return value;
  const [mantissa = ""] = source.toLowerCase().split("e", 1);
  const [whole = "", decimals = ""] = mantissa.replace("-", "").split(".", 2);
  return holds(value, whole, decimals) ? value : undefined;
}

/**
 * A whole number of units of 10^-digits: 326.5 with 2 digits is 32650. `"decimals"` when it has more decimals and
 * must not be rounded, `"range"` when the result is not exact.
 */
export function toMinor(
  { negative, whole, decimals }: Decimal,
  digits: number,
  extra: "refuse" | "round",
): number | "decimals" | "range" {
  const kept = decimals.slice(0, digits).padEnd(digits, "0");
  const rest = decimals.slice(digits);
  const exact = significant(rest) === "";
  if (!exact && extra === "refuse") return "decimals";
  const up = !exact && rest.charAt(0) >= "5" ? 1 : 0;
  // Below that no sum of doubles is inexact.
  const text = `${whole}${kept}`;
  const minor = text.length <= safeDigits ? Number(text) + up : Number(BigInt(text) + BigInt(up));
  if (!Number.isSafeInteger(minor)) return "range";
  return negative && minor !== 0 ? -minor : minor;
}

/** How a form looks, for people: `1,234.5`. */
export function exampleOf(form: NumberForm): string {
  return `1${form.grouping === "none" ? "" : form.grouping}234${form.decimal}5`;
}
