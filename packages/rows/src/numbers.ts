import type { NumberForm } from "@proveniq/contracts";

/** A decimal number without loss: `12.50` is {negative: false, whole: "12", decimals: "50"}. */
export interface Decimal {
  negative: boolean;
  whole: string;
  decimals: string;
}

const blanks = /[ \u00a0\u2007\u2009\u202f]/gu;
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");

/** Make the reader of one form. The reader answers undefined for a text in any other form. */
export function numberReader(form: NumberForm): (text: string) => Decimal | undefined {
  const group = form.grouping === " " ? " " : escaped(form.grouping);
  const whole = form.grouping === "none" ? "\\d+" : `\\d{1,3}(?:${group}\\d{3})+|\\d+`;
  const shape = new RegExp(`^(${whole})?(?:${escaped(form.decimal)}(\\d+))?$`, "u");
  const units = form.strip.map((unit) => unit.trim()).filter((unit) => unit !== "");

  return (text) => {
    const bare = withoutUnits(text.trim(), units).replace(blanks, " ");
    const { negative, rest } = sign(bare, form.negative, units);
    const match = shape.exec(rest);
    if (match === null || rest === "") return undefined;
    const digits = (match[1] ?? "0").replace(/\D/gu, "").replace(/^0+(?=\d)/u, "");
    return { negative, whole: digits, decimals: match[2] ?? "" };
  };
}

function sign(
  text: string,
  form: NumberForm["negative"],
  units: string[],
): { negative: boolean; rest: string } {
  const inner = (from: number, to: number) => withoutUnits(text.slice(from, to).trim(), units);
  if (form === "parentheses" && text.startsWith("(") && text.endsWith(")")) {
    return { negative: true, rest: inner(1, -1) };
  }
  if (form === "trailing" && text.endsWith("-")) return { negative: true, rest: inner(0, -1) };
  if (form === "leading" && /^[-\u2212]/u.test(text)) return { negative: true, rest: inner(1, text.length) };
  return { negative: false, rest: text.startsWith("+") ? inner(1, text.length) : text };
}

function withoutUnits(text: string, units: string[]): string {
  let bare = text;
  for (const unit of units) {
    if (bare.startsWith(unit)) bare = bare.slice(unit.length).trim();
    if (bare.endsWith(unit)) bare = bare.slice(0, -unit.length).trim();
  }
  return bare;
}

/** The nearest number; undefined when it has more digits than a number can hold. */
export function toNumber({ negative, whole, decimals }: Decimal): number | undefined {
  const significant = `${whole}${decimals}`.replace(/^0+/u, "").replace(/0+$/u, "");
  if (significant.length > 17) return undefined;
  const value = Number(`${negative ? "-" : ""}${whole}.${decimals === "" ? "0" : decimals}`);
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : value + 0;
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
  const exact = /^0*$/u.test(rest);
  if (!exact && extra === "refuse") return "decimals";
  const up = !exact && rest.charAt(0) >= "5" ? 1n : 0n;
  const minor = Number(BigInt(`${whole}${kept}`) + up);
  if (!Number.isSafeInteger(minor)) return "range";
  return negative && minor !== 0 ? -minor : minor;
}

/** How a form looks, for people: `1,234.5`. */
export function exampleOf(form: NumberForm): string {
  return `1${form.grouping === "none" ? "" : form.grouping}234${form.decimal}5`;
}
