/** What a date format may consist of. `H`, `m`, `s`, `S` and `Z` are read and left out: an item has a day. */
export const dateTokens = ["yyyy", "yy", "MMM", "MM", "M", "dd", "d", "HH", "mm", "ss", "SSS", "Z"] as const;
export type DateToken = (typeof dateTokens)[number];

/** Formats that are a number and not a text: days since 1900 as spreadsheets count, seconds, milliseconds. */
export const numericDateFormats = ["excel-1900", "unix-s", "unix-ms"] as const;

/**
 * Split a format such as `dd.MM.yyyy` or `yyyy-MM-dd'T'HH:mm:ssZ` into tokens and literal text. Letters outside
 * quotes must be tokens. Returns a sentence when it is none.
 */
export function parseDateFormat(format: string): (DateToken | { text: string })[] | string {
  const parts: (DateToken | { text: string })[] = [];
  for (let at = 0; at < format.length; ) {
    const rest = format.slice(at);
    const quoted = /^'([^']+)'/.exec(rest);
    const token = dateTokens.find((t) => rest.startsWith(t) && rest[t.length] !== t[0]);
    if (quoted?.[1] !== undefined) {
      parts.push({ text: quoted[1] });
      at += quoted[0].length;
    } else if (token !== undefined) {
      if (parts.includes(token)) return `names ${token} twice`;
      parts.push(token);
      at += token.length;
    } else if (/^[A-Za-z']/.test(rest)) {
      return `has letters that are no token at "${rest.slice(0, 8)}": use ${dateTokens.join(", ")}, other letters in 'quotes'`;
    } else {
      parts.push({ text: rest.charAt(0) });
      at++;
    }
  }
  const has = (...tokens: DateToken[]) => tokens.filter((t) => parts.includes(t)).length;
  if (has("yyyy", "yy") !== 1 || has("MMM", "MM", "M") !== 1 || has("dd", "d") !== 1) {
    return "must name one year (yyyy, yy), one month (MMM, MM, M) and one day (dd, d)";
  }
  return parts;
}

/** The order of year, month and day, such as `dmy`, with the separators: two formats that differ only in order are ambiguous. */
export function dateShape(format: string): { order: string; look: string } | undefined {
  const parts = parseDateFormat(format);
  if (typeof parts === "string") return undefined;
  const order = parts
    .flatMap((p) => (typeof p === "string" && "yMd".includes(p.charAt(0)) ? [p.charAt(0).toLowerCase()] : []))
    .join("");
  const look = parts
    .map((p) => {
      if (typeof p !== "string") return p.text;
      if (p === "yyyy" || p === "MMM") return p;
      return "yMd".includes(p.charAt(0)) ? "#" : p;
    })
    .join("");
  return { order, look };
}
