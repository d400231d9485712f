import type { ImportInput } from "@proveniq/contracts";
import type { Random } from "../random.ts";
import type { Fields, FileMeaning, Governs, RowSays, Value } from "./model.ts";

/** A file as it is sent, and what it means. */
export interface HuntFile {
  meaning: FileMeaning;
  input: Pick<ImportInput, "format" | "mapping">;
  chunks: readonly { firstRow: number; rows: number; bytes: Buffer }[];
}

type Kind = "csv a" | "csv b" | "json a" | "json b" | "items";

/** One row in both forms. */
interface Made {
  says: RowSays;
  line: string;
}

const columns = ["id", "name", "kind", "worth", "big", "size", "owner", "op", "note"];
const bigCount = 30;
/** Each costs a call, and what can go wrong between chunks goes wrong between two. */
const mostChunks = 4;
const longTitle = `${"T".repeat(299)}…`;
const titles = ["Ring", "Watch", "Vase"];
const categories = ["jewellery", "watch", "art"];

/** Thirty attributes at once, so that two kinds of file together make more than an item may have. */
const bigNames = (letter: string) =>
  Array.from({ length: bigCount }, (_, n) => `${letter}${String(n).padStart(2, "0")}`);
const bigOf = (letter: string, value: string) =>
  Object.fromEntries(bigNames(letter).map((name) => [name, value]));

function mappingOf(letter: "a" | "b"): unknown {
  const number = { decimal: ".", grouping: "none" };
  const worth = { column: "worth", unit: "major", number, currency: { constant: "EUR" } };
  return {
    fields: {
      externalId: { column: "id" },
      title: { column: "name", tooLong: "cut" },
      category: { column: "kind" },
      ...(letter === "a" ? { insuredValue: worth, ownerId: { column: "owner" } } : {}),
    },
    attributes: {
      ...Object.fromEntries(bigNames(letter).map((name) => [name, { type: "text", column: "big" }])),
      size: { type: "number", column: "size", number },
    },
    op: { column: "op", delete: ["gone"], upsert: ["there"] },
    ignore: ["note", ...(letter === "b" ? ["worth", "owner"] : [])],
  };
}

function governs(kind: Kind): Governs {
  if (kind === "items") return "all";
  const letter = kind.endsWith("a") ? "a" : "b";
  const fields = ["externalId", "title", "category", ...(letter === "a" ? ["insuredValue", "ownerId"] : [])];
  return { fields, attributes: [...bigNames(letter), "size"] };
}

const anyKind = (random: Random) =>
  random.weighted<Kind>([
    [4, "csv a"],
    [3, "csv b"],
    [2, "json a"],
    [1, "json b"],
    [4, "items"],
  ]);

/** A file of chance: few things, often named again. `nameless`: the chance that its last row is refused and names nothing. */
export function makeFile(
  random: Random,
  things: readonly string[],
  source: string,
  full: boolean,
  more: { rows?: number; nameless?: number } = {},
): HuntFile {
  const kind = anyKind(random);
  const count =
    more.rows ??
    random.weighted([
      [1, 0],
      [3, 1],
      [10, random.int(2, 6)],
      [8, random.int(5, 14)],
      [2, random.int(12, 24)],
    ]);
  const rows: Made[] = [];
  for (let n = 0; n < count; n++) {
    const before = rows.at(-1);
    // The very same row again, side by side or further on.
    if (before !== undefined && random.chance(0.12))
      rows.push(random.chance(0.5) ? before : random.pick(rows));
    else rows.push(makeRow(random, kind, random.pick(things)));
  }
  if (random.chance(more.nameless ?? 0)) rows.push(madeOf(random, kind, "nameless", random.pick(things)));
  return fileOf(random, kind, rows, source, full);
}

/** A file that says each of some things once, and nothing else. */
export function seedFile(random: Random, things: readonly string[], source: string): HuntFile {
  const kind = anyKind(random);
  const rows = things.map((thing) => madeOf(random, kind, "upsert", thing));
  return fileOf(random, kind, rows, source, false, 1);
}

function fileOf(
  random: Random,
  kind: Kind,
  rows: readonly Made[],
  source: string,
  full: boolean,
  chunks = mostChunks,
): HuntFile {
  const header = random.pick(["none", "first-chunk", "every-chunk"] as const);
  const csv = kind.startsWith("csv");
  return {
    meaning: { source, full, governs: governs(kind), rows: rows.map((row) => row.says) },
    input: {
      format: csv ? { type: "csv", delimiter: ",", columns, header } : { type: "ndjson" },
      ...(kind === "items" ? {} : { mapping: mappingOf(kind.endsWith("a") ? "a" : "b") as never }),
    },
    chunks: cut(
      random,
      rows.map((row) => row.line),
      (n) => csv && (header === "every-chunk" || (header === "first-chunk" && n === 1)),
      chunks,
    ),
  };
}

function cut(
  random: Random,
  lines: readonly string[],
  headed: (n: number) => boolean,
  atMost: number,
): HuntFile["chunks"] {
  const chunks: { firstRow: number; rows: number; bytes: Buffer }[] = [];
  const most = random.weighted([
    [2, lines.length],
    [3, 4],
    [2, 1],
  ]);
  for (let at = 0; at < lines.length; ) {
    const left = lines.length - at;
    const last = chunks.length === atMost - 1;
    const rows = last ? left : Math.min(left, random.int(1, Math.max(1, most)));
    const head = headed(chunks.length + 1) ? [columns.join(",")] : [];
    const bytes = Buffer.from(`${[...head, ...lines.slice(at, at + rows)].join("\n")}\n`);
    chunks.push({ firstRow: at + 1, rows, bytes });
    at += rows;
  }
  return chunks;
}

function makeRow(random: Random, kind: Kind, externalId: string): Made {
  const asked = random.weighted([
    [62, "upsert"],
    [14, "delete"],
    [9, "big"],
    [6, "refused"],
    [5, "nameless"],
    [4, "blank"],
  ] as const);
  return madeOf(random, kind, asked, externalId);
}

function madeOf(random: Random, kind: Kind, asked: Asked, externalId: string): Made {
  return kind === "items" ? itemRow(random, asked, externalId) : cellRow(random, kind, asked, externalId);
}

type Asked = "upsert" | "delete" | "big" | "refused" | "nameless" | "blank";

function fieldsOf(random: Random, externalId: string): Fields {
  const worth = random.weighted([
    [3, undefined],
    [3, 100],
    [2, 250],
    [1, 0],
  ]);
  const owner = random.weighted([
    [6, undefined],
    [1, "o-1"],
    [1, "o-2"],
  ]);
  return {
    externalId,
    title: random.pick(titles),
    category: random.pick(categories),
    ...(worth === undefined ? {} : { insuredValue: { amountMinor: worth, currency: "EUR" } }),
    ...(owner === undefined ? {} : { ownerId: owner }),
    ...(random.chance(0.2) ? { attributes: { size: random.int(1, 2) } } : {}),
  };
}

/** A row of columns, as CSV or as an object of them. */
function cellRow(random: Random, kind: Kind, asked: Asked, externalId: string): Made {
  const letter = kind.endsWith("a") ? "a" : "b";
  const csv = kind.startsWith("csv");
  const line = (cells: Record<string, string>) =>
    csv ? columns.map((name) => cells[name] ?? "").join(",") : JSON.stringify(cells);
  if (asked === "blank") return { says: { says: "blank" }, line: line({}) };
  const { ownerId, insuredValue, ...fields } = fieldsOf(random, externalId);
  const worth = insuredValue === undefined ? "" : (insuredValue.amountMinor / 100).toFixed(2);
  const size = fields.attributes?.["size"];
  const cells: Record<string, string> = {
    id: externalId,
    name: fields.title,
    kind: fields.category,
    worth,
    size: size === undefined ? "" : String(size),
    owner: ownerId ?? "",
    note: random.chance(0.2) ? "a remark" : "",
  };
  if (asked === "refused") {
    const wrong = random.pick<Record<string, string>>([
      { kind: "boat" },
      { name: "" },
      { size: "large" },
      { op: "perhaps" },
    ]);
    return { says: { says: "refused", externalId }, line: line({ ...cells, ...wrong }) };
  }
  if (asked === "nameless") {
    const odd = random.int(0, 3);
    if (odd === 0) return { says: { says: "refused" }, line: csv ? `${externalId},Ring` : "{oops" };
    const id = odd === 1 ? "" : odd === 2 ? `${externalId}${"x".repeat(200)}` : `a\u0001${externalId}`;
    return { says: { says: "refused" }, line: line({ ...cells, id }) };
  }
  if (asked === "delete")
    return { says: { says: "delete", externalId }, line: line({ ...cells, op: "gone" }) };
  const own = letter === "a";
  const long = random.chance(0.04);
  const big = asked === "big" ? random.pick(["x", "y"]) : undefined;
  const attributes: Record<string, Value> = {
    ...(big === undefined ? {} : bigOf(letter, big)),
    ...fields.attributes,
  };
  const { attributes: _, ...plain } = fields;
  const input: Fields = {
    ...plain,
    title: long ? longTitle : fields.title,
    ...(own && insuredValue !== undefined ? { insuredValue } : {}),
    ...(own && ownerId !== undefined ? { ownerId } : {}),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  };
  const op: Record<string, string> = random.chance(0.1) ? { op: "there" } : {};
  const sent = { ...cells, ...op, name: long ? "T".repeat(301) : fields.title, big: big ?? "" };
  return { says: { says: "upsert", input, remarks: long ? 1 : 0 }, line: line(sent) };
}

/** A row that is an item as the API takes it. */
function itemRow(random: Random, asked: Asked, externalId: string): Made {
  const fields = fieldsOf(random, externalId);
  if (asked === "delete") {
    return { says: { says: "delete", externalId }, line: JSON.stringify({ op: "delete", externalId }) };
  }
  if (asked === "refused") {
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`m${n}`, "z"]));
    const wrong = random.pick([{ category: "boat" }, { title: "" }, { attributes: many }, { op: "perhaps" }]);
    return { says: { says: "refused", externalId }, line: JSON.stringify({ ...fields, ...wrong }) };
  }
  if (asked === "nameless" || asked === "blank") {
    const line = random.pick([
      JSON.stringify({ ...fields, externalId: `${externalId} ` }),
      JSON.stringify({ ...fields, externalId: undefined }),
      JSON.stringify({ ...fields, externalId: 7 }),
      "{oops",
    ]);
    return { says: { says: "refused" }, line };
  }
  const input: Fields = {
    ...fields,
    ...(random.chance(0.2) ? { description: "As seen" } : {}),
    ...(asked === "big"
      ? { attributes: { ...bigOf(random.pick(["a", "b"]), "x"), ...fields.attributes } }
      : {}),
  };
  const op = random.chance(0.2) ? { op: "upsert" } : {};
  return { says: { says: "upsert", input, remarks: 0 }, line: JSON.stringify({ ...op, ...input }) };
}
