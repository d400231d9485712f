import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { defaultDatabase, type ImportJob, importJob } from "@proveniq/contracts";
import { readOutbox } from "@proveniq/db/outbox";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Answer, type Call, codeOf } from "../../testing/client.ts";
import { type EmulatedCell, emulatedCell } from "../../testing/emulated-cell.ts";

let bulk: EmulatedCell;
const tenants = Array.from({ length: 40 }, (_, n) => `carrier-${n + 1}`);
let used = 0;
let tenant = "";
beforeAll(async () => {
  bulk = await emulatedCell(inject("firestoreHost"), tenants, { service: "bulk" });
});
beforeEach(() => {
  tenant = tenants[used++] ?? "";
});
afterAll(() => bulk.close());

const columns = ["id", "name", "worth"];
const mapping = {
  fields: {
    externalId: { column: "id" },
    title: { column: "name" },
    category: { constant: "art" },
    insuredValue: {
      column: "worth",
      unit: "major",
      number: { decimal: ".", grouping: "none" },
      currency: { constant: "EUR" },
    },
  },
};
const csv = { source: "book", format: { type: "csv", delimiter: ",", columns, header: "none" }, mapping };

const call: Call = (method, path, options) => bulk.call(method, path, { tenant, ...options });
const digest = (bytes: string | Buffer) => `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;

async function begin(more: object = {}): Promise<ImportJob> {
  const answer = await call("POST", "/v1/imports", { body: { ...csv, ...more } });
  expect(answer.status).toBe(201);
  return importJob.parse(answer.body);
}
const put = (
  id: string,
  n: number,
  firstRow: number,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  call("PUT", `/v1/imports/${id}/chunks/${n}?firstRow=${firstRow}`, {
    body,
    headers: { "content-type": "text/csv", "content-digest": digest(body), ...headers },
  });
const complete = (id: string, chunks: number, rows: number, more: object = {}) =>
  call("POST", `/v1/imports/${id}/complete`, { body: { chunks, rows, ...more } });
const counts = (answer: Answer) => {
  const { rows: _, ...rest } = importJob.parse(answer.body).counts;
  return Object.fromEntries(Object.entries(rest).filter(([, n]) => n > 0));
};

async function stored(): Promise<Map<string, unknown>> {
  const databases = bulk.config.manifest.databases.map((d) => d.id);
  const pool = await bulk.pool.open(databases[tenants.indexOf(tenant) % databases.length] ?? "");
  const { docs } = await pool.collection(`tenants/${tenant}/items`).get();
  return new Map(docs.map((doc) => JSON.parse(doc.get("body"))).map((body) => [body.externalId, body.title]));
}
async function events(): Promise<string[]> {
  const databases = bulk.config.manifest.databases.map((d) => d.id);
  const pages = await readOutbox(
    await bulk.pool.open(databases[tenants.indexOf(tenant) % databases.length] ?? ""),
  );
  return pages.flatMap((p) => (p.tenantId === tenant ? p.events.map((e) => e.type) : []));
}

test("paused imports are begun, fed and completed no more, and said so; they are read, cancelled and not counted as failures", async () => {
  const { id } = await begin();
  const other = await begin();
  // Another process of the same cell, which has not looked yet: this one remembers for some seconds.
  const { manifest } = bulk.config;
  const second = await emulatedCell(inject("firestoreHost"), tenants, { service: "bulk", manifest });
  const pauses = (await bulk.pool.open(defaultDatabase(manifest))).collection("pauses");
  await pauses.doc("imports").set({
    what: "imports",
    since: "2026-11-28T00:00:00.000Z",
    who: "ann",
    from: "desk",
    reason: "the name of somebody",
  });
  const paused = [
    await second.call("POST", "/v1/imports", { tenant, body: csv }),
    await second.call("PUT", `/v1/imports/${id}/chunks/1?firstRow=1`, { tenant, body: "A,a,1\n" }),
    await second.call("POST", `/v1/imports/${id}/complete`, { tenant, body: { chunks: 1, rows: 1 } }),
  ];
  for (const answer of paused) {
    expect([answer.status, codeOf(answer), answer.headers.get("retry-after")]).toEqual([
      503,
      "imports-paused",
      "10",
    ]);
    expect(answer.text).not.toContain("somebody");
  }
  expect((await second.call("GET", `/v1/imports/${id}`, { tenant })).status).toBe(200);
  expect((await second.call("DELETE", `/v1/imports/${other.id}`, { tenant })).status).toBe(200);
  const ready = await second.call("GET", "/ready", { as: null });
  expect(ready.body).toMatchObject({ traffic: { requests: 5, failed: 0 } });
  await pauses.doc("imports").delete();
  await second.close();
});

describe("an import", () => {
  test("in two chunks, the second first, each put twice", async () => {
    const { id } = await begin();
    const second = await put(id, 2, 3, "C,Third,3\n");
    expect(second.body).toMatchObject({ chunk: 2, state: "done", rows: 1, done: 1, counts: { valid: 1 } });
    expect((await put(id, 1, 1, "A,First,1\nB,Second,2.50\n")).status).toBe(200);
    expect((await put(id, 2, 3, "C,Third,3\n")).body).toEqual(second.body);

    expect(codeOf(await complete(id, 2, 4))).toBe("import-incomplete");
    const done = await complete(id, 2, 3);
    expect(done.body).toMatchObject({ state: "completed", summary: "3 created." });
    expect((await complete(id, 2, 3)).body).toMatchObject({ state: "completed" });
    expect(await stored()).toEqual(
      new Map([
        ["A", "First"],
        ["B", "Second"],
        ["C", "Third"],
      ]),
    );
    expect(await events()).toEqual(Array(3).fill("item.created"));
    expect(codeOf(await put(id, 3, 4, "D,Late,1\n"))).toBe("import-closed");
    expect((await put(id, 2, 3, "C,Third,3\n")).body).toEqual(second.body);
    expect((await call("GET", `/v1/imports/${id}`)).body).toMatchObject({ state: "completed" });
    expect((await call("GET", "/v1/imports")).body).toMatchObject({ imports: [{ id }] });
  });

  test("sent again writes only what changed, and a full one deletes what is gone", async () => {
    const first = await begin({ scope: "full", maxDeletePercent: 40 });
    await put(first.id, 1, 1, "A,First,1\nB,Second,2\nC,Third,3\n");
    expect(counts(await complete(first.id, 1, 3))).toEqual({ created: 3 });
    const other = await begin({ source: "other" });
    await put(other.id, 1, 1, "X,Else,1\n");
    await complete(other.id, 1, 1);

    const again = await begin({ scope: "full", maxDeletePercent: 40 });
    await put(again.id, 1, 1, "A,First,1\nC,Changed,3\n");
    const answer = await complete(again.id, 1, 2);
    expect(counts(answer)).toEqual({ unchanged: 1, changed: 1, deleted: 1 });
    expect(answer.body).toMatchObject({ summary: "1 changed, 1 unchanged, 1 gone." });
    expect(await stored()).toEqual(
      new Map([
        ["A", "First"],
        ["C", "Changed"],
        ["X", "Else"],
      ]),
    );
    expect((await events()).sort()).toEqual([
      ...Array<string>(4).fill("item.created"),
      "item.deleted",
      "item.updated",
    ]);
  });

  test("that would delete too much asks first", async () => {
    const first = await begin();
    await put(first.id, 1, 1, "A,First,1\nB,Second,2\nC,Third,3\n");
    await complete(first.id, 1, 3);
    const { id } = await begin({ scope: "full" });
    await put(id, 1, 1, "A,First,1\n");
    const refused = await complete(id, 1, 1);
    expect(codeOf(refused)).toBe("too-many-deletes");
    expect(refused.body).toMatchObject({ detail: expect.stringContaining("confirmDeletes: 2") });
    expect((await stored()).size).toBe(3);
    expect(codeOf(await complete(id, 1, 1, { confirmDeletes: 1 }))).toBe("too-many-deletes");
    expect(counts(await complete(id, 1, 1, { confirmDeletes: 2 }))).toEqual({ unchanged: 1, deleted: 2 });
    expect((await stored()).size).toBe(1);
  });

  test("takes a refused row's thing for there, and asks when it cannot be named", async () => {
    const first = await begin();
    await put(first.id, 1, 1, "A,First,1\nB,Second,2\n");
    await complete(first.id, 1, 2);
    const named = await begin({ scope: "full" });
    await put(named.id, 1, 1, "A,First,1\nB,Second,two\n");
    expect(counts(await complete(named.id, 1, 2))).toEqual({ unchanged: 1, failed: 1 });
    const nameless = await begin({ scope: "full", maxDeletePercent: 100 });
    await put(nameless.id, 1, 1, 'A,First,1\n"B,Second,2\n');
    expect(codeOf(await complete(nameless.id, 1, 2))).toBe("too-many-deletes");
    expect((await stored()).size).toBe(2);
  });

  test("reports bad rows, and imports them from the mended report", async () => {
    const { id } = await begin();
    await put(id, 1, 1, "A,First,1\nB,=SUM(1),much\n,Nameless,1\nD,Fourth,4\n");
    expect(counts(await complete(id, 1, 4))).toEqual({ created: 2, failed: 2 });
    const report = await call("GET", `/v1/imports/${id}/errors.csv`);
    expect(report.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(report.text.split("\r\n")).toEqual([
      "import_row,import_fault,id,name,worth",
      "2,worth: Is not an amount written like 1234.5.,B,'=SUM(1),much",
      expect.stringMatching(/^3,.*,Nameless,1$/),
      "",
    ]);
    const lines = (await call("GET", `/v1/imports/${id}/errors.ndjson`)).text.trim().split("\n");
    expect(lines.map((l): unknown => JSON.parse(l))).toMatchObject([
      { row: 2, refused: true, notes: [{ code: "not-money", column: "worth" }] },
      { row: 3, notes: [{ code: "missing", field: "/externalId" }] },
    ]);

    const mended = await begin({
      format: { ...csv.format, columns: ["import_row", "import_fault", ...columns], header: "first-chunk" },
    });
    await put(mended.id, 1, 1, report.text.replace("much", "2").replace(",,Nameless", ",C,Named"));
    expect(counts(await complete(mended.id, 1, 2))).toEqual({ created: 2 });
    expect((await stored()).get("B")).toBe("=SUM(1)");
  });

  test("is decided in the order of its rows whatever order its chunks come in, and names duplicates", async () => {
    const first = await begin();
    await put(first.id, 1, 1, "A,Old,1\nB,Old,1\n");
    await complete(first.id, 1, 2);
    const { id } = await begin();
    await put(id, 2, 3, "A,Old,1\nB,New,1\nB,Newest,1\n");
    await put(id, 1, 1, "A,Middle,1\nB,Lower,1\n");
    const done = await complete(id, 2, 5);
    expect(done.body).toMatchObject({ state: "completed" });
    expect(counts(done)).toEqual({ unchanged: 1, changed: 1, superseded: 3, warnings: 3 });
    expect(await stored()).toEqual(
      new Map([
        ["A", "Old"],
        ["B", "Newest"],
      ]),
    );
    const report = await call("GET", `/v1/imports/${id}/errors.ndjson`);
    expect(report.text.match(/"code":"duplicate"/g)).toHaveLength(3);
    expect(report.text).toContain("Names the same thing as row 5, which decides.");
  });

  test("takes effect in the order of completion, not of beginning", async () => {
    const op = { op: { column: "op", delete: ["D"] } };
    const withOp = { format: { ...csv.format, columns: [...columns, "op"] }, mapping: { ...mapping, ...op } };
    const older = await begin(withOp);
    await put(older.id, 1, 1, "A,Older,1,\nB,Older,1,\n");
    const newer = await begin({ ...withOp, source: "other" });
    await put(newer.id, 1, 1, "A,Newer,1,\nB,,,D\nC,,,D\n");
    expect(counts(await complete(newer.id, 1, 3))).toEqual({ created: 1, absent: 2 });
    expect(counts(await complete(older.id, 1, 2))).toEqual({ created: 1, changed: 1 });
    expect(await stored()).toEqual(
      new Map([
        ["A", "Older"],
        ["B", "Older"],
      ]),
    );
  });

  test("without writing: a dry run", async () => {
    const { id } = await begin({ dryRun: true });
    const rows = Array.from({ length: 1_000 }, (_, n) => `A${n},Title,${n === 7 ? "x" : n}\n`).join("");
    await put(id, 1, 1, rows);
    const answer = await complete(id, 1, 1_000);
    expect(answer.body).toMatchObject({ summary: "Dry run: 999 valid, 1 refused." });
    expect((await stored()).size).toBe(0);
    expect(await events()).toEqual([]);
  });

  test("with more errors than it may have stops, with its report", async () => {
    const { id } = await begin({ maxErrors: 2 });
    const stopped = await put(id, 1, 1, "A,First,1\nB,b,x\nC,c,x\nD,d,x\n");
    expect(codeOf(stopped)).toBe("import-closed");
    expect((await call("GET", `/v1/imports/${id}`)).body).toMatchObject({
      state: "stopped",
      counts: { failed: 3 },
    });
    expect((await call("GET", `/v1/imports/${id}/errors.ndjson`)).text.trim().split("\n")).toHaveLength(3);
  });

  test("stops at its end for errors that several instances found, none of them too many", async () => {
    const { manifest } = bulk.config;
    const second = await emulatedCell(inject("firestoreHost"), tenants, { service: "bulk", manifest });
    const { id } = await begin({ maxErrors: 2 });
    const bad = (cell: EmulatedCell, n: number) =>
      cell.call("PUT", `/v1/imports/${id}/chunks/${n}?firstRow=${n}`, {
        tenant,
        body: `A${n},a,x\n`,
        headers: { "content-type": "text/csv", "content-digest": digest(`A${n},a,x\n`) },
      });
    await bad(bulk, 1);
    await bad(second, 2);
    await bad(bulk, 3);
    for (const answer of [await complete(id, 3, 3), await bad(second, 4)]) {
      expect(answer.body).toMatchObject({
        code: "import-closed",
        detail: "The import is stopped: it has more errors than its maxErrors, 2. See its report.",
      });
    }
    expect((await call("GET", `/v1/imports/${id}`)).body).toMatchObject({
      state: "stopped",
      counts: { failed: 3 },
    });
    await second.close();
  });

  test("can be cancelled, and is begun once however often it is asked for with one key", async () => {
    const headers = { "idempotency-key": "import-1" };
    const first = await call("POST", "/v1/imports", { body: csv, headers });
    const second = await call("POST", "/v1/imports", { body: csv, headers });
    expect(second.body).toEqual(first.body);
    const { id } = importJob.parse(first.body);
    expect((await call("DELETE", `/v1/imports/${id}`)).body).toMatchObject({ state: "cancelled" });
    expect((await call("DELETE", `/v1/imports/${id}`)).status).toBe(200);
    expect(codeOf(await put(id, 1, 1, "A,First,1\n"))).toBe("import-closed");
    expect(codeOf(await complete(id, 0, 0))).toBe("import-closed");
  });
});

describe("refused is", () => {
  test("what a chunk must not be", async () => {
    const { id } = await begin();
    const code = async (body: string | Buffer, headers: Record<string, string> = {}) =>
      codeOf(await put(id, 1, 1, body, headers));
    expect(await code("A,a,1\n", { "content-digest": digest("other") })).toBe("digest-mismatch");
    expect(await code("A,a,1\n", { "content-digest": "md5=:x:" })).toBe("invalid-request");
    expect(await code("A,a,1\n", { "content-type": "application/x-ndjson" })).toBe("unsupported-media-type");
    expect(await code("A,a,1\n", { "content-encoding": "gzip" })).toBe("unsupported-media-type");
    expect(await code(Buffer.from("A,\xe9,1\n", "latin1"))).toBe("invalid-chunk");
    const gzip = { "content-type": "application/gzip" };
    expect(await code("not gzip", gzip)).toBe("invalid-chunk");
    expect(await code(gzipSync(Buffer.alloc(50_000_000)), gzip)).toBe("payload-too-large");
    expect(await code(Buffer.alloc(8 * 1024 * 1024 + 1, 65))).toBe("payload-too-large");
    expect(codeOf(await put(id, 0, 1, "A,a,1\n"))).toBe("invalid-request");
    expect(codeOf(await put(id, 1, 0, "A,a,1\n"))).toBe("invalid-request");
    expect(codeOf(await put("A".repeat(20), 1, 1, "A,a,1\n"))).toBe("not-found");

    expect((await put(id, 1, 1, gzipSync("A,a,1\n"), gzip)).status).toBe(200);
    expect((await put(id, 1, 1, "A,a,1\n")).status).toBe(200);
    expect(await code("A,b,1\n")).toBe("chunk-conflict");
    expect(codeOf(await put(id, 1, 2, "A,a,1\n"))).toBe("chunk-conflict");
  });

  test("another tenant's import, and any to a person", async () => {
    const { id } = await begin();
    const others = tenants.find((t) => t !== tenant);
    expect(codeOf(await bulk.call("GET", `/v1/imports/${id}`, { tenant: others }))).toBe("not-found");
    expect(codeOf(await call("GET", `/v1/imports/${id}`, { as: "ann" }))).toBe("forbidden");
  });
});
