// Stands for a cell's process: commits pages of events, each with a receipt in the same transaction, until so many events are
// there. Killed and started again it goes on from its receipts. `node writer.ts <emulator> <project> <database> <events>`
import { randomBytes } from "node:crypto";
import type { OutboxPage } from "@proveniq/contracts";
import { encodePage } from "@proveniq/db/outbox";
import { DatabasePool } from "@proveniq/db/pool";

const [emulatorHost = "", projectId = "", database = "", wanted = "0"] = process.argv.slice(2);
process.env["METADATA_SERVER_DETECTION"] = "none";
const pool = new DatabasePool({ projectId, allow: [database], emulatorHost });
const db = await pool.open(database);

const receipts = await db.collection("committed").get();
let events = receipts.docs.reduce((sum, doc) => sum + Number(doc.get("events")), 0);
let serial = receipts.size;
while (events < Number(wanted)) {
  const batch = Array.from({ length: 4 }, () => pageOf(serial++ % 7 === 0 ? 1 : 500));
  await Promise.all(
    batch.map((page) =>
      db.runTransaction(async (tx) => {
        const receipt = db.collection("committed").doc(page.writeId);
        if ((await tx.get(receipt)).exists) return;
        tx.create(receipt, { events: page.events.length });
        tx.create(db.collection("outbox").doc(), encodePage(page, new Date()));
      }),
    ),
  );
  events += batch.reduce((sum, page) => sum + page.events.length, 0);
}
await pool.close();

function pageOf(size: number): OutboxPage {
  const writeId = randomBytes(15).toString("base64url").replaceAll(/[-_]/g, "0").slice(0, 20);
  const occurredAt = new Date().toISOString();
  const common = { tenantId: "atelier-nord", epoch: 1 };
  return {
    writeId,
    ...common,
    events: Array.from({ length: size }, (_, n) => ({
      id: `${writeId}.${n}`,
      type: "item.created" as const,
      ...common,
      itemId: writeId,
      actor: { kind: "key" as const, id: "key" },
      via: "import" as const,
      occurredAt,
      changed: ["category" as const],
      before: null,
      after: {
        ownerId: `owner-${n % 90}`,
        category: "art" as const,
        insuredValue: { amountMinor: 100 * 3 ** (n % 15), currency: "EUR" },
      },
      deltas: { items: 1, insuredMinor: {} },
    })),
  };
}
