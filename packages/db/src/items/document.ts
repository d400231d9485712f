import type { DocumentData, DocumentSnapshot } from "@google-cloud/firestore";
import { type Item, type ItemInput, item } from "@proveniq/contracts";
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

/** The document of an item. Fields without a value are absent. */
export function toDocument({ input, imported, ...history }: ItemRecord): DocumentData {
  const document = { ...defined(input), ...history };
  if (imported === undefined) return document;
  const { source, job, row } = imported;
  return { ...document, importSource: source, importRank: { job, row } };
}

/** The item that a document holds; undefined when there is none. Throws when it is not an item. */
export function fromDocument(snapshot: DocumentSnapshot): ItemRecord | undefined {
  const data = snapshot.data();
  if (data === undefined) return undefined;
  const { version, writeId, createdAt, updatedAt, importSource, importRank, ...input } = data;
  if (typeof writeId !== "string") throw new Error("an item without a writeId");
  const parsed = item.parse({
    ...input,
    id: snapshot.id,
    version,
    createdAt: isoOf(createdAt),
    updatedAt: isoOf(updatedAt),
  });
  const { id: _, version: v, createdAt: created, updatedAt: updated, ...fields } = parsed;
  return {
    input: fields,
    version: v,
    writeId,
    createdAt: new Date(created),
    updatedAt: new Date(updated),
    ...(importSource === undefined ? {} : { imported: importedFrom(importSource, importRank) }),
  };
}

function importedFrom(source: unknown, rank: unknown): NonNullable<ItemRecord["imported"]> {
  const { job, row } = typeof rank === "object" && rank !== null ? (rank as Record<string, unknown>) : {};
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
