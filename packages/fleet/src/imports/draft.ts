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
  [/^-?\d{1,3}(,\d{3})+(\.\d+)?$/, english],
  [/^-?\d{1,3}(\.\d{3})+(,\d+)?$/, german],
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
  const find = (key: keyof typeof hints): Column | undefined => {
    const found = all.find((c) => hints[key].test(c.name.trim()) && !used.has(c.name));
    if (found !== undefined) used.add(found.name);
    return found;
  };

  const fields: Record<string, unknown> = {};
  const id = find("externalId");
  if (id === undefined)
    remarks.push(
      "No column looks like an id: rows are known by their number, which shifts when lines are added.",
    );
  fields["externalId"] = id === undefined ? { template: "row-{row}" } : { column: id.name };
  const title = find("title");
  if (title === undefined) remarks.push("No column looks like a title: the template is a guess.");
  fields["title"] = title === undefined ? { template: `{${columns[0] ?? "row"}}` } : { column: title.name };
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
  // Numbers that begin with a zero are names.
  if (cells.some((c) => /^0\d/.test(c))) return undefined;
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
