import { importMapping, type NumberForm } from "@proveniq/contracts";

/** What somebody should look at before using a drafted mapping. */
export interface Draft {
  /** The mapping as JSON that people edit. */
  mapping: Record<string, unknown>;
  remarks: string[];
}

type Column = { name: string; cells: string[] };

const plain: NumberForm = { decimal: ".", grouping: "none", negative: "leading", strip: [] };
const german: NumberForm = { ...plain, decimal: ",", grouping: "." };
const english: NumberForm = { ...plain, grouping: "," };
const looks: readonly [RegExp, NumberForm][] = [
  [/^-?\d+(\.\d+)?$/, plain],
  [/^-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/, english],
  [/^-?[1-9]\d{0,2}(\.\d{3})+(,\d+)?$/, german],
  [/^-?\d+,\d+$/, { ...german, grouping: "none" }],
];

/** Names that columns often have, in the order in which they are preferred. */
const hints = {
  externalId:
    /^(external.?id|id|item.?(id|no|number)|policy.?(id|no|number)|sku|acno|reference|inventory.?(no|number)|nr|no)$/i,
  title: /^(title|name|item|designation|label|bezeichnung|titel)$/i,
  description: /^(description|details?|notes?|beschreibung|credit.?line)$/i,
  insuredValue: /^(insured.?(value|sum)|sum.?insured|value|amount|price|versicherungssumme|wert)$/i,
  serialNumber: /^(serial.?(no|number)?)$/i,
  location: /^(location|place|address|standort)$/i,
  acquiredOn: /^(acquired.?(on|at|date)|purchase.?date|bought|date)$/i,
  ownerId: /^(owner.?id|customer.?(id|no|number)|insured.?id)$/i,
} as const;

const dayForms: readonly [RegExp, string][] = [
  [/^\d{4}-\d{2}-\d{2}$/, "yyyy-MM-dd"],
  [/^\d{1,2}\.\d{1,2}\.\d{4}$/, "d.M.yyyy"],
  [/^\d{4}\/\d{2}\/\d{2}$/, "yyyy/MM/dd"],
];

/** Draft a mapping from a file's header and some of its rows: a beginning, for a person to look through. */
export function draftMapping(columns: readonly string[], rows: readonly (readonly string[])[]): Draft {
  const remarks: string[] = [];
  const all: Column[] = columns.map((name, n) => ({
    name,
    cells: rows.flatMap((row) => (row[n] === undefined || row[n].trim() === "" ? [] : [row[n].trim()])),
  }));
  const used = new Set<string>();
  const find = (key: keyof typeof hints, fits: (c: Column) => boolean = () => true): Column | undefined => {
    const found = all.find((c) => hints[key].test(c.name.trim()) && !used.has(c.name) && fits(c));
    if (found !== undefined) used.add(found.name);
    return found;
  };

  const fields: Record<string, unknown> = {};
  // Two rows with one id are one thing, and the earlier row is lost.
  const repeats = (c: Column) => new Set(c.cells).size < c.cells.length;
  const id = find("externalId", (c) => c.cells.length > 0 && !repeats(c));
  if (id === undefined) {
    const repeated = all.filter((c) => hints.externalId.test(c.name.trim()) && repeats(c));
    remarks.push(
      `${repeated.length === 0 ? "No column looks like an id" : `${repeated.map((c) => c.name).join(" and ")} repeats, so it is no id of a row by itself (a template such as {Policy}/{Item} may be)`}: ` +
        "rows are known by their number, which shifts when lines are added.",
    );
  }
  fields["externalId"] = id === undefined ? { template: "row-{row}" } : { column: id.name };
  const title = find("title");
  if (title === undefined) remarks.push("No column looks like a title: the template is a guess.");
  fields["title"] =
    title === undefined
      ? { template: `{${columns.find((name) => !/[{}]/.test(name)) ?? "row"}}` }
      : { column: title.name };
  fields["category"] = { constant: "other" };
  remarks.push('category is "other" for every row: put in the right constant, or a column with values.');
  for (const key of ["description", "serialNumber", "location", "ownerId"] as const) {
    const found = find(key);
    if (found !== undefined) fields[key] = { column: found.name };
  }
  const worth = find("insuredValue");
  if (worth !== undefined) {
    const form = formOf(worth.cells);
    fields["insuredValue"] = {
      column: worth.name,
      unit: "major",
      number: written(form ?? plain),
      currency: { constant: "USD" },
    };
    remarks.push(
      `insuredValue is read from ${worth.name} as whole USD with decimals: check unit, currency and the form of numbers.`,
    );
  }
  const acquired = find("acquiredOn");
  if (acquired !== undefined) {
    const form = dayForms.find(
      ([look]) => acquired.cells.length > 0 && acquired.cells.every((c) => look.test(c)),
    );
    if (form === undefined) used.delete(acquired.name);
    else fields["acquiredOn"] = { column: acquired.name, formats: [form[1]] };
  }

  const attributes: Record<string, unknown> = {};
  for (const column of all) {
    if (used.has(column.name) || Object.keys(attributes).length >= 50) continue;
    const form = formOf(column.cells);
    attributes[attributeName(column.name, attributes)] =
      form === undefined
        ? { type: "text", column: column.name, tooLong: "cut" }
        : { type: "number", column: column.name, number: written(form) };
  }
  const mapping = { fields, ...(Object.keys(attributes).length > 0 ? { attributes } : {}) };
  importMapping.parse(mapping);
  return { mapping, remarks };
}

/** The one form that all cells have; undefined when they are no numbers, or it cannot be told. */
function formOf(cells: readonly string[]): NumberForm | undefined {
  if (cells.length === 0) return undefined;
  // Numbers that begin with a zero are names, and so are those with more digits than a number holds.
  if (cells.some((c) => /^0\d/.test(c) || c.replace(/\D/g, "").length > 15)) return undefined;
  return looks.find(([look]) => cells.every((c) => look.test(c)))?.[1];
}

function written({ decimal, grouping }: NumberForm) {
  return { decimal, grouping };
}

function attributeName(column: string, taken: Record<string, unknown>): string {
  const words = column
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .split(/[^A-Za-z0-9]+/)
    .filter((w) => w !== "");
  const joined = words
    .map((w, n) => (n === 0 ? w.charAt(0).toLowerCase() : w.charAt(0).toUpperCase()) + w.slice(1))
    .join("");
  const name = (/^[A-Za-z]/.test(joined) ? joined : `c${joined}`).slice(0, 36);
  if (!Object.hasOwn(taken, name)) return name;
  for (let n = 2; ; n++) if (!Object.hasOwn(taken, `${name}${n}`)) return `${name}${n}`;
}
