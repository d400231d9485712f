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

/** The document of a page: its JSON as one blob of bytes, and how much is in it. Nothing of it is indexed. */
export function encodePage(page: OutboxPage, at: Date): DocumentData {
  const bytes = Buffer.from(JSON.stringify(page), "utf8");
  if (bytes.length > outboxLimits.bytes) {
    throw new Error(`an outbox page of ${bytes.length} bytes is over the limit of ${outboxLimits.bytes}`);
  }
  return { page: bytes, events: page.events.length, writtenAt: at };
}

/** The page that a document holds. Throws when it is not one. */
export function decodePage(data: DocumentData): OutboxPage {
  const bytes: unknown = data["page"];
  if (!(bytes instanceof Uint8Array)) throw new Error("an outbox document without a page");
  return outboxPage.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
}
