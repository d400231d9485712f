import { ProblemError } from "@proveniq/contracts";
import { z } from "zod";
import { itemTag } from "../valuation/valued.ts";

/** Entity tags of a conditional request: those given, or `*` for whatever there is. */
export type EntityTags = readonly string[] | "*";

/** One tag; a comma may stand in it (RFC 9110, section 8.8.3). */
const tag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/y;
/** At most so many are compared. */
const maxTags = 50;

/** The header as a whole, for the document: `*`, or tags with commas between. */
export const entityTags = z.string().regex(/^(\*|(W\/)?"[!#-~]*"([ \t]*,[ \t]*(W\/)?"[!#-~]*")*)$/);

/**
 * If-Match as tags that may match for a write. Weak tags never do (RFC 9110), so they are left out; a list
 * of weak tags alone is empty and matches nothing. Tags of an item with its value count as the item's. Throws invalid-request when the header is malformed.
 */
export function ifMatch(value: string | undefined): EntityTags | undefined {
  const tags = parse(value, "If-Match");
  return tags === "*" || tags === undefined
    ? tags
    : tags.filter((t) => !t.startsWith("W/")).map((t) => itemTag(t));
}

/** If-None-Match for a read: compared weakly, so the mark of weak tags is dropped. */
export function ifNoneMatch(value: string | undefined): EntityTags | undefined {
  const tags = parse(value, "If-None-Match");
  return tags === "*" || tags === undefined ? tags : tags.map((t) => t.replace(/^W\//, ""));
}

/** True when one of the tags is this one. */
export function matches(tags: EntityTags, etag: string): boolean {
  return tags === "*" || tags.includes(etag);
}

function parse(value: string | undefined, header: string): EntityTags | undefined {
  if (value === undefined) return undefined;
  if (value.trim() === "*") return "*";
  const tags = tagsOf(value);
  if (tags !== undefined && tags.length > 0 && tags.length <= maxTags) return tags;
  throw new ProblemError("invalid-request", `The ${header} header is not valid.`, {
    errors: [{ path: header, message: 'must be * or entity tags such as "3-kq2X8aLm", separated by commas' }],
  });
}

/** The tags of a list, in which entries may be empty (RFC 9110, section 5.6.1); undefined when it is none. */
function tagsOf(list: string): string[] | undefined {
  const tags: string[] = [];
  let between = true;
  for (let at = 0; at < list.length; ) {
    const c = list[at];
    if (c === " " || c === "\t" || c === ",") {
      if (c === ",") between = true;
      at += 1;
      continue;
    }
    tag.lastIndex = at;
    const [found] = tag.exec(list) ?? [];
    if (found === undefined || !between) return undefined;
    tags.push(found);
    between = false;
    at += found.length;
  }
  return tags;
}
