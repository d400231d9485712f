import {
  type AttributeField,
  type Band,
  currencyDigits,
  type DateField,
  type KeyField,
  type ListField,
  type Money,
  type MoneyField,
  type TextField,
} from "@proveniq/contracts";
import { cut, note, type Place, type RowContext, unreadable } from "./context.ts";
import { dateReader } from "./dates.ts";
import { bandReader, slugOf } from "./keys.ts";
import { exampleOf, numberReader, toMinor, toNumber, unitOf } from "./numbers.ts";
import { longestText, originate, type PartTransform, placeOf } from "./origins.ts";

/** From a row to one field's value. Undefined: there is none; if that is a fault it has been noted. */
export type FieldReader<T> = (ctx: RowContext) => T | undefined;

type Columns = readonly string[];

export function textReader(
  field: Pick<TextField, "lines" | "tooLong" | "values"> & Parameters<typeof originate>[0],
  pointer: string,
  columns: Columns,
  max: number,
): FieldReader<string> {
  const find = originate(field, pointer, columns);
  const place = placeOf(field, pointer);
  const values = field.values === undefined ? undefined : new Map(Object.entries(field.values));
  return (ctx) => {
    const found = String(find(ctx));
    if (found === "") return undefined;
    const named = values?.get(found) ?? found;
    if (named === "") return undefined;
    const whole = named.length <= longestText;
    const text = lines(cut(named, longestText), field.lines);
    if (whole && text.length <= max) return text;
    const length = whole ? text.length : named.length;
    if (field.tooLong === "cut") {
      note(ctx, "warning", "too-long", place, `Cut from ${length} to ${max} characters.`);
      return cut(text, max);
    }
    note(ctx, "error", "too-long", place, `Has ${length} characters; at most ${max} fit.`);
    return undefined;
  };
}

/** Line breaks as the field wants them, in one pass: a pattern with blanks before the break would try each of many blanks. */
function lines(text: string, as: TextField["lines"]): string {
  if (!/[\r\n]/u.test(text)) return text;
  if (as === "keep") return text.replace(/\r\n?/gu, "\n");
  return text
    .split(/[\r\n]+/u)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(" ");
}

/** Longest cell that becomes part of a key: what makes a word of it costs more than its length when marks pile up. */
const longestKeyPart = 500;

export function keyReader(field: KeyField, pointer: string, columns: Columns): FieldReader<string> {
  const place = placeOf(field, pointer);
  const bands = new Map(
    Object.entries(field.bands ?? {}).map(([column, band]) => [column, bandOf(column, band, place)]),
  );
  const transform: PartTransform = (cell, column, ctx) => {
    const band = bands.get(column);
    if (band !== undefined) return band(cell, column, ctx);
    const text = String(cell);
    if (text.length > longestKeyPart) {
      note(ctx, "error", "too-long", { ...place, column }, "Is too long to be part of a key.");
      return undefined;
    }
    if (!field.slug) return text;
    const slug = slugOf(text);
    if (slug !== "") return slug;
    note(ctx, "error", "not-valid", { ...place, column }, "Has no letter or digit to make a key of.");
    return undefined;
  };
  const find = originate(field, pointer, columns, transform);
  return (ctx) => String(find(ctx)) || undefined;
}

function bandOf(column: string, band: Band, place: Place): PartTransform {
  const read = bandReader(band);
  return (cell, _column, ctx) => {
    const found = read(typeof cell === "boolean" ? String(cell) : cell);
    if (found === "number")
      note(ctx, "error", "not-a-number", { ...place, column }, "Is not a number, so it has no band.");
    else if (found === "outside")
      note(ctx, "error", "not-valid", { ...place, column }, "Lies outside all bands.");
    else return found.name;
    return undefined;
  };
}

/** `list`: the words we know. */
export function listReader<T extends string>(
  field: ListField,
  pointer: string,
  columns: Columns,
  list: readonly T[],
): FieldReader<T> {
  const find = originate(field, pointer, columns);
  const place = placeOf(field, pointer);
  const fold = (word: string) => (field.ignoreCase ? word.toLowerCase() : word);
  const entries =
    field.values === undefined ? list.map((w) => [w, w] as const) : Object.entries(field.values);
  const words = new Map(entries.map(([theirs, ours]) => [fold(theirs), ours]));
  const isOurs = (word: string | undefined): word is T => list.some((known) => known === word);
  return (ctx) => {
    const found = String(find(ctx));
    if (found === "") return undefined;
    const ours = words.get(fold(found)) ?? field.unlisted;
    if (isOurs(ours)) return ours;
    const message =
      field.values === undefined
        ? `Is none of ${list.join(", ")}. List the words of the file in values.`
        : "Is not listed in values, and the mapping has no unlisted.";
    note(ctx, "error", "not-listed", place, message);
    return undefined;
  };
}

export function dayReader(field: DateField, pointer: string, columns: Columns): FieldReader<string> {
  const find = originate(field, pointer, columns);
  const place = placeOf(field, pointer);
  const read = dateReader(field);
  return (ctx) => {
    const text = String(find(ctx));
    if (text === "") return undefined;
    const message = `Is not a day written as ${field.formats.join(" or ")}.`;
    return read(text) ?? unreadable(ctx, "not-a-date", place, text, message, field.keepAs);
  };
}

export function moneyReader(field: MoneyField, pointer: string, columns: Columns): FieldReader<Money> {
  const place = placeOf(field, pointer);
  const find = originate(field, pointer, columns);
  const { column, constant, inAmount, values = {} } = field.currency;
  const named = new Map(Object.entries(values).map(([sign, code]) => [unitOf(sign), code]));
  const read = numberReader(field.number, inAmount === true ? [...named.keys()] : []);
  const at = column === undefined ? -1 : columns.indexOf(column);
  const codeIn = (cell: string) => named.get(cell) ?? (cell.length === 3 ? cell.toUpperCase() : undefined);

  return (ctx) => {
    const cell = find(ctx);
    if (cell === "") return undefined;
    const text = String(cell);
    const fail = (message: string) => unreadable(ctx, "not-money", place, text, message, field.keepAs);
    const codes = new Set<string>();
    const decimal =
      typeof cell === "number" ? plainNumber(text) : read(text, (sign) => codes.add(named.get(sign) ?? sign));
    if (decimal === undefined) return fail(`Is not an amount written like ${exampleOf(field.number)}.`);
    if (codes.size > 1) return fail(`Names several currencies: ${[...codes].join(" and ")}.`);
    const [inText] = codes;
    const currency = constant ?? (inAmount === true ? inText : codeIn(String(ctx.cells[at] ?? "")));
    const digits = currency === undefined ? undefined : currencyDigits(currency);
    if (currency === undefined || digits === undefined) return fail("Has no known currency (ISO 4217).");
    const minor = toMinor(decimal, field.unit === "major" ? digits : 0, field.extraDecimals);
    if (minor === "decimals") return fail(`Has more decimals than ${currency} (${digits}).`);
    if (minor === "range" || minor < 0)
      return fail(minor === "range" ? "Is too large." : "Must not be negative.");
    return { amountMinor: minor, currency };
  };
}

const plainNumber = numberReader({ decimal: ".", grouping: "none", negative: "leading", strip: [] });

export function attributeReader(
  field: AttributeField,
  pointer: string,
  columns: Columns,
): FieldReader<string | number | boolean> {
  if (field.type === "text") return textReader(field, pointer, columns, 500);
  const find = originate(field, pointer, columns);
  const place = placeOf(field, pointer);
  if (field.type === "number") {
    const read = numberReader(field.number);
    const message = `Is not a number written like ${exampleOf(field.number)}, or has too many digits for one.`;
    return (ctx) => {
      const cell = find(ctx);
      if (cell === "") return undefined;
      if (typeof cell === "number") return cell;
      const decimal = read(String(cell));
      const value = decimal === undefined ? undefined : toNumber(decimal);
      return value ?? unreadable(ctx, "not-a-number", place, String(cell), message, field.keepAs);
    };
  }
  const yes = new Set(field.true);
  const no = new Set(field.false);
  return (ctx) => {
    const cell = find(ctx);
    if (cell === "") return undefined;
    if (typeof cell === "boolean") return cell;
    const text = String(cell);
    if (yes.has(text)) return true;
    if (no.has(text)) return false;
    const message = `Is none of ${[...yes, ...no].join(", ")}.`;
    return unreadable(ctx, "not-a-boolean", place, text, message, field.keepAs);
  };
}
