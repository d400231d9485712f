import { randomBytes } from "node:crypto";
import type { OutboxPage } from "@proveniq/contracts";
import { encodePage } from "@proveniq/db/outbox";
import type { DatabasePool } from "@proveniq/db/pool";

type Firestore = Awaited<ReturnType<DatabasePool["open"]>>;

const id = (length: number) => randomBytes(length).toString("hex").slice(0, length);

/** A page of creations, as a cell would have committed it. */
export function pageOf(
  events: number,
  over: { tenantId?: string; ownerId?: string; at?: Date } = {},
): OutboxPage {
  const { tenantId = "atelier-nord", ownerId, at = new Date() } = over;
  const writeId = id(20);
  return {
    writeId,
    tenantId,
    epoch: 1,
    events: Array.from({ length: events }, (_, n) => ({
      id: `${writeId}.${n}`,
      type: "item.created",
      tenantId,
      epoch: 1,
      itemId: id(20),
      actor: { kind: "key", id: "key" },
      via: "import",
      occurredAt: at.toISOString(),
      changed: ["category", "title"],
      before: null,
      after: {
        ownerId: ownerId ?? `owner-${n % 40}`,
        category: "art",
        insuredValue: { amountMinor: 50_000, currency: "EUR" },
      },
      deltas: { items: 1, insuredMinor: { EUR: 50_000 } },
    })),
  };
}

/** Put pages into an outbox, each as a document of its own. */
export async function putPages(db: Firestore, ...pages: OutboxPage[]): Promise<void> {
  await Promise.all(pages.map((page) => db.collection("outbox").add(encodePage(page, new Date()))));
}

/** A page that nobody can read. */
export async function putRubbish(db: Firestore, content: string): Promise<void> {
  await db.collection("outbox").add({ page: Buffer.from(content), events: 1, writtenAt: new Date() });
}
