import { fieldBytes, fieldMap, nameBytes, type Value } from "./values.ts";
import { fieldsOf, partsOf, textOf } from "./wire.ts";

/** One write of a commit. */
export interface WriteSeen {
  kind: "update" | "delete" | "verify";
  /** `tenants/t/items/i`. */
  path: string;
  /** What it writes; of a masked update only what the mask names. */
  fields: ReadonlyMap<string, Value>;
  /** What the document takes in storage, as far as this write tells. */
  bytes: number;
  /** Server-side transforms of fields. */
  transforms: number;
}

/** The writes of a `CommitRequest` or `BatchWriteRequest`. */
export function writesOf(request: Buffer): WriteSeen[] {
  return partsOf(request, 2).map(writeOf);
}

function writeOf(message: Buffer): WriteSeen {
  let name = "";
  let kind: WriteSeen["kind"] = "update";
  let fields: ReadonlyMap<string, Value> = new Map();
  let transforms = 0;
  for (const { number, value } of fieldsOf(message)) {
    if (typeof value === "bigint") continue;
    if (number === 1) {
      name = textOf(value, 1);
      fields = fieldMap(value, 2);
    } else if (number === 2 || number === 5) {
      kind = number === 2 ? "delete" : "verify";
      name = value.toString("utf8");
    } else if (number === 6) {
      name = textOf(value, 1);
      transforms += partsOf(value, 2).length;
    } else if (number === 7) transforms += 1;
  }
  const bytes = kind === "update" ? 32 + nameBytes(name) + fieldBytes(fields) : 0;
  return { kind, path: pathOf(name), fields, bytes, transforms };
}

/** The part of a resource's name behind `/documents`; empty for the database itself. */
export function pathOf(name: string): string {
  return name.split("/documents")[1]?.replace(/^\//, "") ?? "";
}

/** `tenants/t/items/i` → `tenants/t/items`. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** `tenants/t/items` → `items`. */
export function groupOf(collection: string): string {
  return collection.slice(collection.lastIndexOf("/") + 1);
}

/** Whose tree a path lies in; undefined when it is in nobody's. */
export function tenantOf(path: string): string | undefined {
  return /^tenants\/([^/]+)/.exec(path)?.[1];
}
