/** The tenants of a snapshot, still in its text. */
export interface ScannedTenants {
  /** The text with no tenants in it. */
  rest: string;
  /** At least as many as there are, and at least as long as their ids are together. */
  count: number;
  keyBytes: number;
  /** Visit all, in order. False when the text is not in the usual form, or as soon as `visit` says so. */
  each(visit: (tenantId: string, cellId: string, epoch: number) => boolean): boolean;
}

const opening = '"tenants":{';

/** Find `"tenants":{"id":["cell",1],…}` as JSON.stringify writes it. Undefined when it is not there. */
export function scanTenants(text: string): ScannedTenants | undefined {
  const start = text.indexOf(opening) + opening.length;
  // No tenant entry has a brace in it: the next one closes the object, in this form.
  const end = text.indexOf("}", start);
  if (start < opening.length || end <= start) return undefined;
  let count = 0;
  for (let at = text.indexOf("[", start); at !== -1 && at < end; at = text.indexOf("[", at + 1)) count += 1;
  return {
    rest: text.slice(0, start) + text.slice(end),
    count,
    keyBytes: end - start,
    each: (visit) => visitAll(text, start, end, visit),
  };
}

function visitAll(
  text: string,
  start: number,
  end: number,
  visit: (tenantId: string, cellId: string, epoch: number) => boolean,
): boolean {
  for (let at = start; ; at += 1) {
    const idEnd = text.indexOf('"', at + 1);
    if (text[at] !== '"' || !text.startsWith('":["', idEnd)) return false;
    const cellEnd = text.indexOf('"', idEnd + 4);
    if (!text.startsWith('",', cellEnd)) return false;
    let epoch = 0;
    let digits = cellEnd + 2;
    for (let c = text.charCodeAt(digits); c >= 0x30 && c <= 0x39; c = text.charCodeAt(digits)) {
      epoch = epoch * 10 + c - 0x30;
      digits += 1;
    }
    // JSON knows no number that begins with a zero.
    if (digits === cellEnd + 2 || text[cellEnd + 2] === "0" || text[digits] !== "]") return false;
    if (!visit(text.slice(at + 1, idEnd), text.slice(idEnd + 4, cellEnd), epoch)) return false;
    at = digits + 1;
    if (at === end) return true;
    if (text[at] !== ",") return false;
  }
}
