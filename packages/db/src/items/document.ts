import type { DocumentData, DocumentSnapshot } from "@google-cloud/firestore";
import { type Item, type ItemInput, item } from "@proveniq/contracts";
import { z } from "zod";
import type { StoredItem } from "../tenant/types.ts";
import { millisOf } from "../times.ts";

/** An item as the domain handles it: what was put in, whose it is, and its history in brief. */
export interface ItemRecord {
  input: ItemInput & { ownerId: string };
  version: number;
  writeId: string;
  createdAt: Date;
  updatedAt: Date;
  /** The import that wrote it last, and by which of its rows. A change from elsewhere keeps it. */
  imported?: { source: string; job: number; row: number };
}

/**
 * The document of an item: the fields that queries name, and all the rest as one JSON text in `body`. A field costs
 * several times what its bytes do, at the client and at the database: an import of millions pays for each of them.
 * Fields without a value are absent.
 */
export function toDocument({ input, ...record }: ItemRecord): DocumentData {
  const imported = record.imported !== undefined;
  return documentOf({ named: namedOf(input, imported), head: headOf(input, imported) }, record);
}

/** What of an item its document holds in fields of their own. An imported item's id is made of its external id, which no query needs to name then. */
function namedOf({ ownerId, category, marketKey, externalId }: ItemRecord["input"], imported: boolean) {
  return defined({ ownerId, category, marketKey, externalId: imported ? undefined : externalId });
}

/**
 * The begin of an item's body: all of its content that has no field of its own, as JSON that goes on with the item's history. An
 * import makes it once, of the row, and writes it as it is.
 */
export function headOf(input: ItemInput, imported: boolean): string {
  const { ownerId: _, category: __, marketKey: ___, externalId, ...rest } = input;
  return JSON.stringify({ ...rest, externalId: imported ? externalId : undefined }).slice(0, -1);
}

/** An item's content as its document has it. */
export interface Content {
  named: Pick<ItemRecord["input"], "ownerId" | "category" | "marketKey" | "externalId">;
  /** See `headOf`. */
  head: string;
}

/** The document of an item whose content is there already. */
export function documentOf(
  { named, head }: Content,
  { version, writeId, createdAt, updatedAt, imported }: Omit<ItemRecord, "input">,
): DocumentData {
  const rank = imported === undefined ? "" : `,"job":${imported.job},"row":${imported.row}`;
  return {
    ...named,
    ...(imported === undefined ? {} : { importSource: imported.source }),
    createdAt,
    body: `${head}${historyBegins}${version},"writeId":${JSON.stringify(writeId)},"updatedAt":"${updatedAt.toISOString()}"${rank}}`,
  };
}

const historyBegins = ',"version":';

/** True when a document has exactly this content, and says so in the same words; false also when it may have it in others. */
export function hasContent(data: DocumentData, { named, head }: Content): boolean {
  const text: unknown = data["body"];
  return (
    typeof text === "string" &&
    text.startsWith(head) &&
    text.startsWith(historyBegins, head.length) &&
    data["ownerId"] === named.ownerId &&
    data["category"] === named.category &&
    data["marketKey"] === named.marketKey &&
    data["externalId"] === named.externalId
  );
}

const body = z.looseObject({
  version: z.int(),
  writeId: z.string(),
  updatedAt: z.iso.datetime(),
  job: z.int().optional(),
  row: z.int().optional(),
});

/** The text that holds what no query names. Throws when the document is not an item's. */
export function readBody(data: DocumentData): z.infer<typeof body> {
  const text: unknown = data["body"];
  if (typeof text !== "string") throw new Error("an item without a body");
  return body.parse(JSON.parse(text));
}

/** The item that a document holds; undefined when there is none. Throws when it is not an item. */
export function fromDocument(snapshot: DocumentSnapshot): ItemRecord | undefined {
  const data = snapshot.data();
  if (data === undefined) return undefined;
  const { writeId, job, row, ...rest } = readBody(data);
  const { createdAt, importSource, body: _, ...named } = data;
  const parsed = item.parse({ ...rest, ...named, id: snapshot.id, createdAt: isoOf(createdAt) });
  const { id: __, version, createdAt: created, updatedAt: updated, ...fields } = parsed;
  return {
    input: fields,
    version,
    writeId,
    createdAt: new Date(created),
    updatedAt: new Date(updated),
    ...(importSource === undefined ? {} : { imported: importedFrom(importSource, job, row) }),
  };
}

function importedFrom(source: unknown, job: unknown, row: unknown): NonNullable<ItemRecord["imported"]> {
  if (typeof source !== "string" || typeof job !== "number" || typeof row !== "number") {
    throw new Error("an imported item without its rank");
  }
  return { source, job, row };
}

/** The item as clients see it, with its entity tag. */
export function present(id: string, record: ItemRecord): StoredItem {
  const shown: Item = {
    id,
    ...defined(record.input),
    version: record.version,
    createdAt: record.createdAt.toISOString(),
    updatedAt: record.updatedAt.toISOString(),
  };
  return { item: shown, etag: etagOf(record) };
}

/** A strong entity tag, quotes included. The write is in it: a deleted and recreated item never matches an old tag. */
export function etagOf(record: Pick<ItemRecord, "version" | "writeId">): string {
  return `"${record.version}-${record.writeId.slice(0, 8)}"`;
}

/** A copy without the fields that are undefined: Firestore would refuse them. */
export function defined<T extends object>(value: T): T {
  // A loop and not Object.fromEntries: an import does this a million times over.
  const copy: Partial<T> = {};
  for (const key of Object.keys(value) as (keyof T)[]) if (value[key] !== undefined) copy[key] = value[key];
  return copy as T;
}

function isoOf(value: unknown): string {
  return new Date(millisOf(value)).toISOString();
}
