/** One piece of a template: literal text, a column's cell, or the row's number. */
export type TemplatePart = { text: string } | { column: string } | { row: true };

/**
 * Read a template such as `row-{row}` or `{Policy No}/{Item}`. `{{` and `}}` stand for braces. `{row}` is the
 * number of the row in the file, from 1. Returns a sentence when the text is not a template.
 */
export function parseTemplate(template: string): TemplatePart[] | string {
  const parts: TemplatePart[] = [];
  let text = "";
  const flush = () => {
    if (text !== "") parts.push({ text });
    text = "";
  };
  for (let at = 0; at < template.length; at++) {
    const c = template.charAt(at);
    if ((c === "{" || c === "}") && template[at + 1] === c) {
      text += c;
      at++;
    } else if (c === "{") {
      const end = template.indexOf("}", at);
      const name = template.slice(at + 1, end);
      if (end < 0 || name === "" || name.includes("{"))
        return "has a { that names no column (write {{ for a brace)";
      flush();
      parts.push(name === "row" ? { row: true } : { column: name });
      at = end;
    } else if (c === "}") {
      return "has a } without its { (write }} for a brace)";
    } else {
      text += c;
    }
  }
  flush();
  return parts;
}

/** The columns that a template reads; empty when it is not one. */
export function templateColumns(template: string): string[] {
  const parts = parseTemplate(template);
  return typeof parts === "string" ? [] : parts.flatMap((p) => ("column" in p ? [p.column] : []));
}
