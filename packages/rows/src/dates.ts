import { type DateField, type DateToken, parseDateFormat } from "@proveniq/contracts";

const englishMonths = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const longEnglish = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const daysOf = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const dayMs = 86_400_000;
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");

/** Longer texts are no dates: a format has at most 60 characters. */
const longestDate = 200;

type Read = (text: string) => string | undefined;

/** Make the reader of a field's dates: from a text to YYYY-MM-DD, or undefined when no format reads it as a real day. */
export function dateReader(field: Pick<DateField, "formats" | "months" | "pivotYear">): Read {
  const readers = field.formats.map((format) => formatReader(format, field));
  return (text) => {
    if (text.length > longestDate) return undefined;
    for (const read of readers) {
      const day = read(text);
      if (day !== undefined) return day;
    }
    return undefined;
  };
}

function formatReader(format: string, field: Pick<DateField, "months" | "pivotYear">): Read {
  if (format === "excel-1900") return excelDay;
  if (format === "unix-s") return (text) => unixDay(text, 1000);
  if (format === "unix-ms") return (text) => unixDay(text, 1);
  const parts = parseDateFormat(format);
  if (typeof parts === "string") throw new Error(`the date format ${format} ${parts}`);

  const names = monthNames(field.months);
  const tokens: DateToken[] = [];
  const lastOfTime = parts.findLastIndex((part) => typeof part === "string" && timeTokens.has(part));
  const pattern = parts.map((part, n) => {
    if (typeof part !== "string") return escaped(part.text).replace(/ /gu, blank);
    tokens.push(part);
    const stands = standsAlone(parts[n - 1], parts[n + 1]);
    const found = part === "HH" && stands ? "(\\d{1,2})" : patternOf(part, names);
    // The time is left out of a day, so half a day may be named without a token of its own.
    return n === lastOfTime && stands ? `${found}(?:${blank}?[AP]\\.?M\\.?)?` : found;
  });
  const shape = new RegExp(`^${pattern.join("")}$`, "iu");
  const pivot = field.pivotYear ?? 0;
  const groupOf = (...wanted: DateToken[]) => 1 + tokens.findIndex((token) => wanted.includes(token));
  const [yearAt, monthAt, dayAt] = [groupOf("yyyy", "yy"), groupOf("MMM", "MM", "M"), groupOf("dd", "d")];
  const isShort = tokens.includes("yy");
  const isNamed = tokens.includes("MMM");
  return (text) => {
    const match = shape.exec(text);
    if (match === null) return undefined;
    const year = Number(match[yearAt]);
    const month = isNamed ? names.get((match[monthAt] ?? "").toLowerCase()) : Number(match[monthAt]);
    const century = !isShort ? 0 : year <= pivot ? 2000 : 1900;
    return realDay(century + year, month ?? 0, Number(match[dayAt]));
  };
}

const timeTokens: ReadonlySet<DateToken> = new Set<DateToken>(["HH", "mm", "ss", "SSS"]);
/** A space, also as newer programs write it before AM and PM. */
const blank = "[ \\u00a0\\u202f]";

type Part = DateToken | { text: string } | undefined;

/** No digit of another token touches it, so that one of its own may be missing. */
function standsAlone(before: Part, after: Part): boolean {
  const touches = (part: Part, digit: RegExp) =>
    typeof part === "string" || (part !== undefined && digit.test(part.text));
  return !touches(before, /\d$/u) && !touches(after, /^\d/u);
}

function patternOf(token: DateToken, names: ReadonlyMap<string, number>): string {
  if (token === "yyyy") return "(\\d{4})";
  if (token === "SSS") return "(\\d{1,9})";
  if (token === "M" || token === "d") return "(\\d{1,2})";
  if (token === "Z") return "(Z|[+-]\\d{2}:?\\d{2})";
  if (token !== "MMM") return "(\\d{2})";
  const longestFirst = [...names.keys()].sort((a, b) => b.length - a.length);
  return `(${longestFirst.map(escaped).join("|")})`;
}

/** Names in lower case → month; English ones short and long. */
function monthNames(own: readonly string[] | undefined): Map<string, number> {
  const lists = own === undefined ? [englishMonths, longEnglish] : [own];
  return new Map(lists.flatMap((names) => names.map((name, n) => [name.toLowerCase(), n + 1] as const)));
}

function realDay(year: number, month: number, day: number): string | undefined {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && leap ? 29 : daysOf[month - 1];
  if (days === undefined || day < 1 || day > days) return undefined;
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** Spreadsheets count days from 1899-12-31 and believe that 1900 had a 29 February (day 60). */
function excelDay(text: string): string | undefined {
  if (!/^\d{1,6}(\.\d+)?$/u.test(text)) return undefined;
  const serial = Math.floor(Number(text));
  if (serial < 1 || serial === 60) return undefined;
  return isoDay(Date.UTC(1899, 11, 31) + (serial > 60 ? serial - 1 : serial) * dayMs);
}

function unixDay(text: string, factor: number): string | undefined {
  return /^-?\d{1,14}$/u.test(text) ? isoDay(Number(text) * factor) : undefined;
}

function isoDay(ms: number): string | undefined {
  const iso = Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : "+";
  return /^\d{4}-/u.test(iso) ? iso.slice(0, 10) : undefined;
}
