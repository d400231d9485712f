import { gunzipSync, gzipSync } from "node:zlib";
import type {
  CollectionReference,
  DocumentData,
  DocumentReference,
  Firestore,
} from "@google-cloud/firestore";
import { type OutboxPage, outboxLimits, outboxPage } from "@proveniq/contracts";

export function outboxCollection(firestore: Firestore): CollectionReference {
  return firestore.collection("outbox");
}

/** A new page: a random name, so that pages spread over the whole key range. */
export function outboxRef(firestore: Firestore): DocumentReference {
  return outboxCollection(firestore).doc();
}

/**
 * Events of an import differ little: packed they are a tenth, which writer, database and sink all notice. A page of a few
 * events is not worth the setting up.
 */
const packFrom = 4_096;

/** The document of a page: its JSON as one blob of bytes, packed if it is long, and how much is in it. Nothing of it is indexed. */
export function encodePage(page: OutboxPage, at: Date): DocumentData {
  const bytes = Buffer.from(JSON.stringify(page), "utf8");
  if (bytes.length > outboxLimits.bytes) {
    throw new Error(`an outbox page of ${bytes.length} bytes is over the limit of ${outboxLimits.bytes}`);
  }
  const blob = bytes.length < packFrom ? bytes : gzipSync(bytes, { level: 1 });
  return { page: blob, events: page.events.length, writtenAt: at };
}

/** The page that a document holds. Throws when it is not one. */
export function decodePage(data: DocumentData): OutboxPage {
  const bytes: unknown = data["page"];
  if (!(bytes instanceof Uint8Array)) throw new Error("an outbox document without a page");
  return outboxPage.parse(JSON.parse(unpacked(bytes).toString("utf8")));
}

/** A page's JSON from its blob. Throws when it is packed and broken, or longer than any page. */
export function unpacked(blob: Uint8Array): Buffer {
  // JSON does not begin like gzip.
  const packed = blob[0] === 0x1f && blob[1] === 0x8b;
  return packed ? gunzipSync(blob, { maxOutputLength: outboxLimits.bytes }) : Buffer.from(blob);
}
