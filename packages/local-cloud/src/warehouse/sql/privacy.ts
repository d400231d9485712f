import { unsupportedSql } from "../faults.ts";
import { isSymbol, isWord, quote, type Token } from "./tokens.ts";

/** The noise of a query with differential privacy: what is added to which columns of its result. */
export interface Noise {
  /** Of each column of the result in order: the scale of its noise; 0 for a column that groups. */
  scales: number[];
  /** Of the count of units, which comes last and is taken away: its scale, and below what a group is dropped. */
  units: { scale: number; threshold: number };
}

interface Aggregate {
  /** What each unit's rows are made one value by; GoogleSQL's tokens. */
  perUnit: Token[];
  alias: string;
  low: number;
  high: number;
}

type Column = { key: string; alias: string } | Aggregate;

const word = (text: string): Token => ({ kind: "word", text });
const symbol = (text: string): Token => ({ kind: "symbol", text });

/** `SELECT WITH DIFFERENTIAL_PRIVACY …`, which only the outermost query may be here. */
export const isPrivate = (tokens: readonly Token[]): boolean =>
  isWord(tokens[0], "SELECT") && isWord(tokens[1], "WITH") && isWord(tokens[2], "DIFFERENTIAL_PRIVACY");

/**
 * BigQuery's differential privacy clause, as its reference has it ("Differential privacy clause" and "Differentially private
 * aggregate functions"): one value for each unit and group, clamped; of each unit no more groups than
 * `max_groups_contributed`, picked at random; sums of that with Laplace noise; groups whose noisy count of units is too
 * low are dropped. Epsilon is shared evenly by the n aggregates and that count. Read are `COUNT(*)` and `SUM(column)` with
 * explicit bounds per group.
 */
export function splitPrivate(tokens: readonly Token[]): {
  /** The query that makes one row for each unit and group. */
  perUnit: Token[];
  /** DuckDB's SQL over that query. */
  wrap: (inner: string) => string;
  noise: Noise;
} {
  const options = optionsOf(tokens);
  const from = indexOf(tokens, options.next, "FROM");
  const groupBy = indexOf(tokens, from, "GROUP");
  const tail = tokens.slice(from, groupBy);
  const later = tokens.slice(groupBy).find((t) => isWord(t, "HAVING", "QUALIFY", "ORDER", "LIMIT", "UNION"));
  if (later !== undefined) throw unsupportedSql(`${later.text} after a differential privacy clause`);
  const keys = tokens
    .slice(groupBy + 2)
    .filter((t) => !isSymbol(t, ","))
    .map((t) => t.text);
  const columns = split(tokens.slice(options.next, from)).map((c) => columnOf(c, keys));
  const aggregates = columns.filter((c) => "perUnit" in c);
  if (aggregates.length === 0) throw unsupportedSql("a differential privacy clause without an aggregate");

  const list: Token[][] = [
    [...options.unit, word("AS"), word("dp_unit")],
    ...keys.map((key, n) => [word(key), word("AS"), word(`dp_key_${n}`)]),
    ...aggregates.map((a, n) => [...a.perUnit, word("AS"), word(`dp_value_${n}`)]),
  ];
  const perUnit = [
    word("SELECT"),
    ...list.flatMap((item, n) => (n === 0 ? item : [symbol(","), ...item])),
    ...tail,
    word("GROUP"),
    word("BY"),
    ...options.unit,
    ...keys.flatMap((key) => [symbol(","), word(key)]),
  ];
  const { epsilon, delta, groups } = options;
  const share = epsilon / (aggregates.length + 1) / groups;
  const out = columns.map((c) => {
    if ("key" in c) return `${quote(`dp_key_${keys.indexOf(c.key)}`)} AS ${quote(c.alias)}`;
    const value = quote(`dp_value_${aggregates.indexOf(c)}`);
    return `CAST(SUM(LEAST(GREATEST(${value}, ${c.low}), ${c.high})) AS BIGINT) AS ${quote(c.alias)}`;
  });
  const chosen = `SELECT * FROM per_unit QUALIFY ROW_NUMBER() OVER (PARTITION BY dp_unit ORDER BY random()) <= ${groups}`;
  const by = keys.length === 0 ? "" : ` GROUP BY ${keys.map((_, n) => quote(`dp_key_${n}`)).join(", ")}`;
  // Of one unit at most `groups` groups can be wrongly kept; delta is shared by them.
  const perGroup = 1 - (1 - delta) ** (1 / groups);
  return {
    perUnit,
    wrap: (inner) =>
      `WITH per_unit AS (${inner}), chosen AS (${chosen}) SELECT ${out.join(", ")}, COUNT(*) AS dp_units FROM chosen${by}`,
    noise: {
      scales: columns.map((c) => ("key" in c ? 0 : Math.max(Math.abs(c.low), Math.abs(c.high)) / share)),
      units: { scale: 1 / share, threshold: 1 + Math.log(1 / (2 * perGroup)) / share },
    },
  };
}

function indexOf(tokens: readonly Token[], after: number, name: string): number {
  let depth = 0;
  for (const [n, token] of tokens.entries()) {
    if (n < after) continue;
    if (isSymbol(token, "(")) depth++;
    if (isSymbol(token, ")")) depth--;
    if (depth === 0 && isWord(token, name)) return n;
  }
  if (name === "FROM") throw unsupportedSql("a differential privacy clause without FROM");
  return tokens.length;
}

/** What stands between the commas of a list. */
function split(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (isSymbol(token, "(")) depth++;
    if (isSymbol(token, ")")) depth--;
    if (depth === 0 && isSymbol(token, ",")) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

function optionsOf(tokens: readonly Token[]) {
  const begin = 4;
  if (!isWord(tokens[3], "OPTIONS") || !isSymbol(tokens[begin], "(")) {
    throw unsupportedSql("a differential privacy clause without its OPTIONS");
  }
  const end = tokens.findIndex((t, n) => n > begin && isSymbol(t, ")"));
  const given = new Map<string, Token[]>();
  for (const [name, equals, ...value] of split(tokens.slice(begin + 1, end))) {
    if (name?.kind !== "word" || !isSymbol(equals, "=")) throw unsupportedSql("an option is NAME = VALUE");
    given.set(name.text.toLowerCase(), value);
  }
  const number = (name: string): number | undefined => {
    const value = given.get(name);
    if (value === undefined) return undefined;
    if (value.length !== 1 || value[0]?.kind !== "number") throw unsupportedSql(`${name} must be a number`);
    return Number(value[0].text);
  };
  const [epsilon, delta, groups = 1] = [number("epsilon"), number("delta"), number("max_groups_contributed")];
  const unit = given.get("privacy_unit_column");
  const known = ["epsilon", "delta", "max_groups_contributed", "privacy_unit_column"];
  const other = [...given.keys()].find((name) => !known.includes(name));
  if (other !== undefined) throw unsupportedSql(`the option ${other} of a differential privacy clause`);
  if (epsilon === undefined || epsilon <= 0) throw unsupportedSql("epsilon must be above 0");
  if (delta === undefined || delta <= 0 || delta >= 1) throw unsupportedSql("delta must be between 0 and 1");
  if (!Number.isInteger(groups) || groups < 1)
    throw unsupportedSql("max_groups_contributed must be 1 or more");
  if (unit === undefined || unit.length === 0) throw unsupportedSql("privacy_unit_column is missing");
  return { epsilon, delta, groups, unit, next: end + 1 };
}

function columnOf(tokens: readonly Token[], keys: readonly string[]): Column {
  const named = isWord(tokens.at(-2), "AS");
  const body = named ? tokens.slice(0, -2) : tokens;
  const [first, open] = body;
  if (first === undefined) throw unsupportedSql("an empty column");
  const alias = named ? (tokens.at(-1)?.text ?? "") : first.text;
  if (body.length === 1) {
    if (!keys.includes(first.text))
      throw unsupportedSql(`${first.text} is neither grouped by nor an aggregate`);
    return { key: first.text, alias };
  }
  if (!isWord(first, "COUNT", "SUM") || !isSymbol(open, "(") || !isSymbol(body.at(-1), ")")) {
    throw unsupportedSql("with a differential privacy clause it reads COUNT(*, …) and SUM(column, …)");
  }
  if (!named) throw unsupportedSql("an aggregate needs a name, with AS");
  const [value = [], bounds = [], ...more] = split(body.slice(2, -1));
  const [label, arrow, ...pair] = bounds;
  if (more.length > 0 || !isWord(label, "CONTRIBUTION_BOUNDS_PER_GROUP") || !isSymbol(arrow, "=>")) {
    throw unsupportedSql("an aggregate needs contribution_bounds_per_group => (low, high): none are guessed");
  }
  const [low, high, ...others] = split(pair.slice(1, -1)).map(integer);
  if (low === undefined || high === undefined || others.length > 0 || low > high) {
    throw unsupportedSql("contribution_bounds_per_group are two whole numbers");
  }
  const star = value.length === 1 && isSymbol(value[0], "*");
  if (isWord(first, "COUNT") !== star) throw unsupportedSql("it reads COUNT(*, …) and SUM(column, …)");
  return { perUnit: [first, symbol("("), ...value, symbol(")")], alias, low, high };
}

function integer(tokens: readonly Token[]): number {
  const value = Number(tokens.map((t) => t.text).join(""));
  if (tokens.length === 0 || !Number.isSafeInteger(value))
    throw unsupportedSql("a bound must be a whole number");
  return value;
}
