import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { paths } from "./openapi.d.ts";

/** What a partner does, typed by what openapi-typescript makes of the document. Prints what it saw as one line of JSON. */
const [baseUrl = "", key = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });

function must<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data !== undefined) return answer.data;
  throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
}

const created = await client.POST("/v1/items", {
  params: { header: { "Idempotency-Key": `fetch-${Date.now()}` } },
  body: {
    title: "Round brilliant",
    category: "jewellery",
    insuredValue: { amountMinor: 32_600, currency: "USD" },
    attributes: { carat: 0.23, certified: true },
  },
});
const { id } = must(created);
const read = await client.GET("/v1/items/{itemId}", { params: { path: { itemId: id } } });
const etag = read.response.headers.get("etag") ?? "";
const patched = must(
  await client.PATCH("/v1/items/{itemId}", {
    params: { path: { itemId: id }, header: { "If-Match": etag } },
    body: { condition: "good", attributes: { certified: null } },
  }),
);
const stale = await client.PATCH("/v1/items/{itemId}", {
  params: { path: { itemId: id }, header: { "If-Match": etag } },
  body: { condition: "fair" },
});
const page = must(await client.GET("/v1/items", { params: { query: { limit: 5 } } }));

// Only what has no default is given.
const job = must(
  await client.POST("/v1/imports", {
    body: {
      source: "by-openapi-fetch",
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
const chunk = "id,name\nF-1,Wristwatch\nF-2,Pocket watch\n";
const digest = createHash("sha256").update(chunk).digest("base64");
must(
  await client.PUT("/v1/imports/{importId}/chunks/{chunk}", {
    params: {
      path: { importId: job.id, chunk: 1 },
      query: { firstRow: 1 },
      header: { "Content-Digest": `sha-256=:${digest}:` },
    },
    headers: { "content-type": "text/csv" },
    body: chunk,
    bodySerializer: (body) => body,
  }),
);
const whole = { params: { path: { importId: job.id } }, body: { chunks: 1, rows: 2 } };
let done = await client.POST("/v1/imports/{importId}/complete", whole);
while (done.response.status === 202) {
  await sleep(1_000 * Number(done.response.headers.get("retry-after") ?? 1));
  done = await client.POST("/v1/imports/{importId}/complete", whole);
}
const { counts } = must(done);
const gone = await client.DELETE("/v1/items/{itemId}", { params: { path: { itemId: id } } });
process.stdout.write(
  `${JSON.stringify({
    created: created.response.status,
    patched: patched.condition,
    stale: stale.error?.code,
    listed: page.items.length > 0,
    imported: counts.created + counts.unchanged,
    gone: gone.response.status,
  })}\n`,
);
