import { unsupportedSql } from "../faults.ts";
import { functions, hiddenSchemas, keywords, refused } from "./allowed.ts";
import { isPrivate, type Noise, splitPrivate } from "./privacy.ts";
import { isSymbol, isWord, quote, type Token, tokenize } from "./tokens.ts";

export interface TableName {
  dataset: string;
  table: string;
}

export interface TranslatedQuery {
  /** For DuckDB; named parameters as `$name`. */
  sql: string;
  /** What it reads. */
  tables: TableName[];
  /** Noise to add to the result, of a query with differential privacy. */
  noise?: Noise;
}

export interface TranslateOptions {
  /** The project whose tables may be named. */
  project: string;
  defaultDataset?: string | undefined;
}

/**
 * GoogleSQL to DuckDB's SQL: names are quoted anew, a few functions renamed, and nothing else is changed, because only what
 * both read alike is let through. Throws a fault that says what is not.
 */
export function translate(sql: string, options: TranslateOptions): TranslatedQuery {
  const tokens = tokenize(sql);
  if (isSymbol(tokens.at(-1), ";")) tokens.pop();
  if (!isPrivate(tokens)) return translateTokens(tokens, options);
  const { perUnit, wrap, noise } = splitPrivate(tokens);
  const inner = translateTokens(perUnit, options);
  return { sql: wrap(inner.sql), tables: inner.tables, noise };
}

function translateTokens(tokens: Token[], options: TranslateOptions): TranslatedQuery {
  if (!isWord(tokens[0], "SELECT", "WITH")) throw unsupportedSql("only SELECT is answered");
  const common = commonTables(tokens);
  const tables: TableName[] = [];
  const out: string[] = [];
  /** After FROM or JOIN: a table, a common table or a subquery comes. */
  let wantsTable = false;
  /** Depth of parentheses at which a list of tables may be going on. */
  const fromAt: number[] = [];
  let depth = 0;

  for (let n = 0; n < tokens.length; n++) {
    const token = tokens[n];
    if (token === undefined) break;
    if (wantsTable && token.kind !== "symbol") {
      const { parts, next } = path(tokens, n);
      out.push(tableName(parts, common, options, tables));
      n = next - 1;
      wantsTable = false;
      continue;
    }
    wantsTable = false;
    if (token.kind === "symbol") {
      if (token.text === "(") depth++;
      if (token.text === ")") {
        depth--;
        while ((fromAt.at(-1) ?? -1) > depth) fromAt.pop();
      }
      if (token.text === ";") throw unsupportedSql("one statement at a time");
      if (token.text === "/") throw unsupportedSql("`/` differs between the two; use SAFE_DIVIDE");
      if (token.text === "," && fromAt.at(-1) === depth)
        throw unsupportedSql("join tables with JOIN, not with a comma");
      out.push(token.text);
    } else if (token.kind === "string") out.push(`'${token.text.replaceAll("'", "''")}'`);
    else if (token.kind === "number")
      out.push(token.text.includes(".") ? `CAST(${token.text} AS DOUBLE)` : token.text);
    else if (token.kind === "parameter") out.push(`$${token.text}`);
    else if (token.kind === "quoted") out.push(token.text.split(".").map(quote).join("."));
    else {
      const word = token.text.toUpperCase();
      wantsTable = word === "FROM" || word === "JOIN";
      if (word === "FROM") fromAt.push(depth);
      if (
        ["WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "UNION"].includes(word) &&
        fromAt.at(-1) === depth
      ) {
        fromAt.pop();
      }
      out.push(wordText(tokens, n, word));
    }
  }
  return { sql: out.join(" "), tables };
}

/** A word that is no table: keyword, function, date literal, or the name of a column or alias. */
function wordText(tokens: Token[], n: number, word: string): string {
  const [before, token, after] = [tokens[n - 1], tokens[n], tokens[n + 1]];
  const text = token?.text ?? "";
  if (isSymbol(before, ".")) return quote(text);
  if (isSymbol(after, "(") && !keywords.has(word)) {
    const own = functions.get(word);
    if (own !== undefined) return own;
    // `name (` after WITH or a comma and `AS (` belong to a common table: its name is followed by AS, not by a parenthesis.
    throw unsupportedSql(`the function ${word} is not on its list`);
  }
  if (word === "DATE" && after?.kind === "string") return "DATE";
  if (word === "UNION" && !isWord(after, "ALL", "DISTINCT"))
    throw unsupportedSql("write UNION ALL or UNION DISTINCT");
  if (keywords.has(word)) return word;
  if (refused.has(word)) throw unsupportedSql(`${word} is not on its list`);
  return quote(text);
}

/** Names defined by WITH: `name AS (` after WITH, or after the comma that follows such a one. */
function commonTables(tokens: Token[]): Set<string> {
  const names = new Set<string>();
  for (const [n, token] of tokens.entries()) {
    if (!isWord(tokens[n + 1], "AS") || !isSymbol(tokens[n + 2], "(")) continue;
    if (token.kind !== "word" && token.kind !== "quoted") continue;
    if (isWord(tokens[n - 1], "WITH") || isSymbol(tokens[n - 1], ",")) names.add(token.text.toLowerCase());
  }
  return names;
}

/** A dotted name that begins at a token, as its parts, and the place after it. */
function path(tokens: Token[], from: number): { parts: string[]; next: number } {
  const parts: string[] = [];
  let at = from;
  for (;;) {
    const token = tokens[at];
    if (token?.kind !== "word" && token?.kind !== "quoted") throw unsupportedSql("a table's name is missing");
    parts.push(...token.text.split("."));
    if (!isSymbol(tokens[at + 1], ".")) return { parts, next: at + 1 };
    at += 2;
  }
}

function tableName(
  parts: string[],
  common: ReadonlySet<string>,
  { project, defaultDataset }: TranslateOptions,
  tables: TableName[],
): string {
  const [table, dataset = defaultDataset, named = project] = parts.toReversed();
  if (table === undefined || parts.length > 3)
    throw unsupportedSql(`${parts.join(".")} is not a table's name`);
  if (parts.length === 1 && common.has(table.toLowerCase())) return quote(table);
  if (dataset === undefined) throw unsupportedSql(`${table} must be written with its dataset`);
  if (named !== project) throw unsupportedSql(`it holds project ${project} only, not ${named}`);
  if (hiddenSchemas.has(dataset.toLowerCase())) throw unsupportedSql(`${dataset} is not a dataset`);
  tables.push({ dataset, table });
  return `${quote(dataset)}.${quote(table)}`;
}
