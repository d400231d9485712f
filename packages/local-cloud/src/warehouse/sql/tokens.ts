import { unsupportedSql } from "../faults.ts";

export type Token =
  | { kind: "word"; text: string }
  /** A name in backticks, with its dots. */
  | { kind: "quoted"; text: string }
  | { kind: "string"; text: string }
  | { kind: "number"; text: string }
  | { kind: "parameter"; text: string }
  | { kind: "symbol"; text: string };

const patterns: [Token["kind"] | "space", RegExp][] = [
  ["space", /(?:\s+|--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)/y],
  ["quoted", /`([^`\\\n]+)`/y],
  // Without escapes, but for a doubled… there is none in GoogleSQL: a backslash begins one, and is refused below.
  ["string", /'((?!'')[^'\\\n]*)'(?!')|"((?!"")[^"\\\n]*)"(?!")/y],
  ["number", /(?:\d+\.\d+|\d+)(?![\w.])/y],
  ["parameter", /@([A-Za-z_]\w*)/y],
  // Not in front of a quote: that would be a raw or bytes literal.
  ["word", /[A-Za-z_]\w*(?!["'\w])/y],
  ["symbol", /<>|!=|<=|>=|=>|\|\||[-+*=<>(),.;/]/y],
];

/** GoogleSQL as tokens. Throws for what is not among them: other quotes, escapes, brackets, operators. */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length; ) {
    const found = patterns.flatMap(([kind, pattern]) => {
      pattern.lastIndex = at;
      const match = pattern.exec(sql);
      return match === null ? [] : [{ kind, match }];
    })[0];
    if (found === undefined) {
      throw unsupportedSql(`cannot read it from "${sql.slice(at, at + 20).replaceAll("\n", " ")}" on`);
    }
    const { kind, match } = found;
    at += match[0].length;
    if (kind === "space") continue;
    tokens.push({ kind, text: match[1] ?? match[2] ?? match[0] });
  }
  return tokens;
}

/** A name for DuckDB. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const isWord = (token: Token | undefined, ...wanted: string[]): boolean =>
  token?.kind === "word" && wanted.includes(token.text.toUpperCase());
export const isSymbol = (token: Token | undefined, text: string): boolean =>
  token?.kind === "symbol" && token.text === text;
