import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { client } from "./client/client.gen.ts";
import {
  completeImport,
  createImport,
  createItem,
  deleteItem,
  getItem,
  listItems,
  patchItem,
  putChunk,
} from "./client/index.ts";

/** What a partner does, by the client that Hey API makes of the document. Prints what it saw as one line of JSON. */
const [baseUrl = "", key = ""] = process.argv.slice(2);
client.setConfig({ baseUrl, auth: key });

function must<T>(answer: { data: T; error: unknown; response?: Response }): NonNullable<T> {
  if (answer.data !== undefined && answer.data !== null) return answer.data;
  throw new Error(`${answer.response?.status} ${JSON.stringify(answer.error)}`);
}

const created = await createItem({
  headers: { "Idempotency-Key": `hey-${Date.now()}` },
  body: {
    title: "Round brilliant",
    category: "jewellery",
    insuredValue: { amountMinor: 32_600, currency: "USD" },
    attributes: { carat: 0.23, certified: true },
  },
});
const { id } = must(created);
const read = await getItem({ path: { itemId: id } });
const etag = read.response?.headers.get("etag") ?? "";
const patched = must(
  await patchItem({
    path: { itemId: id },
    headers: { "If-Match": etag },
    body: { condition: "good", attributes: { certified: null } },
  }),
);
const stale = await patchItem({
  path: { itemId: id },
  headers: { "If-Match": etag },
  body: { condition: "fair" },
});
const page = must(await listItems({ query: { limit: 5 } }));

// Only what has no default is given.
const job = must(
  await createImport({
    body: {
      source: "by-hey-api",
      format: { type: "csv", delimiter: ",", columns: ["id", "name"], header: "first-chunk" },
      mapping: {
        fields: {
          externalId: { column: "id" },
          title: { column: "name" },
          category: { constant: "watch" },
        },
      },
    },
  }),
);
const chunk = "id,name\nH-1,Wristwatch\nH-2,Pocket watch\n";
const digest = createHash("sha256").update(chunk).digest("base64");
must(
  await putChunk({
    path: { importId: job.id, chunk: 1 },
    query: { firstRow: 1 },
    headers: { "Content-Digest": `sha-256=:${digest}:`, "Content-Type": "text/csv" },
    body: chunk,
    bodySerializer: (body: unknown) => String(body),
  }),
);
const whole = { path: { importId: job.id }, body: { chunks: 1, rows: 2 } };
let done = await completeImport(whole);
while (done.response?.status === 202) {
  await sleep(1_000 * Number(done.response.headers.get("retry-after") ?? 1));
  done = await completeImport(whole);
}
const { counts } = must(done);
const gone = await deleteItem({ path: { itemId: id } });
process.stdout.write(
  `${JSON.stringify({
    created: created.response?.status,
    patched: patched.condition,
    stale: stale.error?.code,
    listed: page.items.length > 0,
    imported: counts.created + counts.unchanged,
    gone: gone.response?.status,
  })}\n`,
);
