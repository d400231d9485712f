import type { Firestore } from "@google-cloud/firestore";
import type { OutboxPage } from "@proveniq/contracts";
import { decodePage, outboxCollection } from "./page.ts";

/** Every page that waits in a database, by name. All at once: for tests and for looking. */
export async function readOutbox(firestore: Firestore): Promise<OutboxPage[]> {
  const { docs } = await outboxCollection(firestore).get();
  return docs.map((doc) => decodePage(doc.data()));
}
