/** An entry as Cloud Logging keeps it: a line of JSON is its `jsonPayload`, and `severity` is taken out of it. */
export interface LogEntry {
  resource: { type: string; labels: Record<string, string> };
  severity: string;
  jsonPayload: Record<string, unknown>;
}

/** What Cloud Logging makes of a line that a program wrote (https://cloud.google.com/logging/docs/structured-logging). */
export function entryOf(line: string, type: string, labels: Record<string, string>): LogEntry {
  const { severity = "DEFAULT", ...jsonPayload } = JSON.parse(line) as Record<string, unknown>;
  return { resource: { type, labels }, severity: String(severity), jsonPayload };
}

const severities = [
  "DEFAULT",
  "DEBUG",
  "INFO",
  "NOTICE",
  "WARNING",
  "ERROR",
  "CRITICAL",
  "ALERT",
  "EMERGENCY",
];

/**
 * Whether a filter takes an entry: the part of the language that the fleet's filters use
 * (https://cloud.google.com/logging/docs/view/logging-query-language): AND, OR, brackets, `=`, `>=` of severities, `:*`. Throws
 * for anything else.
 */
export function takes(filter: string, entry: LogEntry): boolean {
  const tokens = filter.match(/\(|\)|AND|OR|[\w.]+(?:=|>=|:)(?:"[^"]*"|\w+|\*)/g) ?? [];
  if (tokens.join("").length !== filter.replaceAll(/\s(?=(?:[^"]*"[^"]*")*[^"]*$)/g, "").length)
    throw new Error(`this filter is not understood: ${filter}`);
  let at = 0;
  const any = (): boolean => {
    let is = all();
    while (tokens[at] === "OR") {
      at += 1;
      is = all() || is;
    }
    return is;
  };
  const all = (): boolean => {
    let is = one();
    while (tokens[at] === "AND") {
      at += 1;
      is = one() && is;
    }
    return is;
  };
  const one = (): boolean => {
    const token = tokens[at];
    at += 1;
    if (token !== "(") return compare(token ?? "", entry);
    const is = any();
    at += 1;
    return is;
  };
  return any();
}

function compare(token: string, entry: LogEntry): boolean {
  const [, path = "", operator, wanted = ""] = /^([\w.]+)(=|>=|:)(.*)$/.exec(token) ?? [];
  const found = path
    .split(".")
    .reduce<unknown>((of, key) => (of as Record<string, unknown> | undefined)?.[key], entry);
  if (operator === ":" && wanted === "*") return found !== undefined;
  if (operator === ">=" && path === "severity")
    return severities.indexOf(String(found)) >= severities.indexOf(wanted);
  if (operator === "=") return found === wanted.replaceAll('"', "");
  throw new Error(`this comparison is not understood: ${token}`);
}
