import { createHash } from "node:crypto";
import { importJob } from "@proveniq/contracts";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { codeOf } from "../../testing/client.ts";
import { type EmulatedCell, emulatedCell } from "../../testing/emulated-cell.ts";
import { counted, csvImport, ImportDesk } from "../../testing/imports.ts";

/** What went wrong while rows were decided as they came, each once more. */
let bulk: EmulatedCell;
let api: EmulatedCell;
const tenants = Array.from({ length: 30 }, (_, n) => `order-${n + 1}`);
let used = 0;
let desk: ImportDesk;
beforeAll(async () => {
  const importLimits = { pageRows: 3, callMs: 0, buckets: 2, inFlight: 2 };
  bulk = await emulatedCell(inject("firestoreHost"), tenants, { service: "bulk", importLimits });
  api = await emulatedCell(inject("firestoreHost"), tenants, { manifest: bulk.config.manifest });
});
beforeEach(() => {
  desk = new ImportDesk(bulk, tenants[used++] ?? "");
});
afterAll(() => Promise.all([bulk.close(), api.close()]));

const rows = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `A${from + n},a,1,\n`).join("");
const full = { scope: "full", maxDeletePercent: 100 };

describe("rows decide in the order of the file", () => {
  test("a deletion in a chunk that came later, before the row that brings the thing again", async () => {
    await desk.whole(["A,a,1,\n"]);
    const id = await desk.begin();
    await desk.put(id, 2, 2, "A,a,1,\n");
    await desk.put(id, 1, 1, "A,,,D\n");
    const { answer } = await desk.untilDone(() => desk.complete(id, 2, 2));
    expect(counted(importJob.parse(answer.body))).toEqual({ unchanged: 1, superseded: 1, warnings: 1 });
    expect(await desk.titles()).toEqual({ A: "a" });
  });

  test.each([
    ["the same row twice", ["A,a,1,\n", "A,a,1,\n"], { created: 1, superseded: 1, warnings: 1 }],
    ["a refused row after a good one", ["A,a,1,\nA,a,x,\n"], { created: 1, failed: 1 }],
    [
      "a deletion after the row that brings it",
      ["A,a,1,\n", "A,,,D\n"],
      { absent: 1, superseded: 1, warnings: 1 },
    ],
  ])("%s ends", async (_, chunks, counts) => {
    const id = await desk.begin();
    const places = chunks.map((text, n) => ({ text, n, firstRow: n + 1 }));
    for (const { text, n, firstRow } of places.toReversed()) await desk.put(id, n + 1, firstRow, text);
    const total = chunks.join("").trimEnd().split("\n").length;
    const { answer } = await desk.untilDone(() => desk.complete(id, chunks.length, total));
    const job = importJob.parse(answer.body);
    expect(counted(job)).toEqual(counts);
    expect(await desk.get(id)).toEqual(job);
  });

  test("more things of one chunk than fit into many pages are decided anew", async () => {
    await desk.whole([rows(1, 40)]);
    const job = await desk.whole([rows(1, 40).replaceAll(",a,", ",b,"), rows(1, 40)]);
    expect(counted(job)).toEqual({ unchanged: 40, superseded: 40, warnings: 40 });
    const { text } = await desk.call("GET", `/v1/imports/${job.id}/errors.ndjson`);
    const lines = text.trim().split("\n");
    expect(lines).toHaveLength(40);
    // Each row is named beside the one that does decide.
    expect(lines[0]).toMatch(/"row":(\d+),.*row 4\d|"row":(\d+),/);
    for (const line of lines) {
      const { row, notes } = JSON.parse(line);
      expect(notes[0].message).toBe(`Names the same thing as row ${row + 40}, which decides.`);
    }
  });

  test("a row that would make too many attributes is refused, with its cells, whatever stands before it", async () => {
    await desk.whole(["A,a,1,\n"]);
    const [id] = [...(await desk.items()).keys()];
    const attributes = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`own${n}`, n]));
    await desk.through(api).call("PATCH", `/v1/items/${id}`, { body: { attributes } });
    const mapping = { ...csvImport.mapping, attributes: { more: { type: "text", column: "worth" } } };
    const job = await desk.whole(["A,b,2,\n", "B,b,2,\nA,c,3,\n"], { mapping });
    expect(counted(job)).toEqual({ created: 1, failed: 2 });
    expect(await desk.titles()).toEqual({ A: "a", B: "b" });
    const { text } = await desk.call("GET", `/v1/imports/${job.id}/errors.csv`);
    expect(text.split("\r\n").slice(1, 3)).toEqual([
      expect.stringMatching(/^1,.*more than 50\.,A,b,2,$/),
      expect.stringMatching(/^3,.*more than 50\.,A,c,3,$/),
    ]);
  });
});

describe("a full import", () => {
  test("that is cancelled while it deletes deletes nothing any more", async () => {
    await desk.whole([rows(1, 30)], full);
    const old = await desk.begin(full);
    await desk.put(old, 1, 1, "A1,a,1,\n");
    while ((await desk.items()).size === 30) await desk.complete(old, 1, 1);
    const left = (await desk.items()).size;
    expect((await desk.get(old)).counts.deleted).toBe(30 - left);
    expect((await desk.call("DELETE", `/v1/imports/${old}`)).status).toBe(200);
    const again = await desk.whole([rows(1, 30)], full);
    expect(counted(again)).toEqual({ unchanged: left, created: 30 - left });
    expect(codeOf(await desk.complete(old, 1, 1))).toBe("import-closed");
    expect((await desk.items()).size).toBe(30);
  });

  test("asks about a refused row whose id nothing can have", async () => {
    const ndjson = { source: "book", format: { type: "ndjson" }, mapping: undefined, ...full };
    const line = (externalId: string) => `${JSON.stringify({ externalId, title: "a", category: "art" })}\n`;
    const put = async (text: string) => {
      const id = await desk.begin(ndjson);
      await desk.put(id, 1, 1, text, "application/x-ndjson");
      const lines = text.trimEnd().split("\n").length;
      return desk.untilDone(() => desk.complete(id, 1, lines));
    };
    await put(line("A") + line("B"));
    const { answer } = await put(line("A") + line("B "));
    expect(codeOf(answer)).toBe("too-many-deletes");
    expect(await desk.titles()).toEqual({ A: "a", B: "a" });
  });

  test("deletes as many as were confirmed, counted anew, or none", async () => {
    await desk.whole([rows(1, 3)], full);
    const other = await desk.begin();
    const id = await desk.begin({ scope: "full" });
    await desk.put(id, 1, 1, rows(1, 1));
    const end = (confirmDeletes: number) =>
      desk.untilDone(() => desk.complete(id, 1, 1, { confirmDeletes })).then(({ answer }) => answer);
    await desk.put(other, 1, 1, rows(4, 8));
    await desk.untilDone(() => desk.complete(other, 1, 5));
    const refused = await end(2);
    expect([codeOf(refused), refused.text]).toEqual([
      "too-many-deletes",
      expect.stringContaining("confirmDeletes: 7"),
    ]);
    expect((await desk.items()).size).toBe(8);
    expect(counted(importJob.parse((await end(7)).body))).toEqual({ unchanged: 1, deleted: 7 });
  });

  test("counts as deleted what it has deleted, and as planned what it will", async () => {
    await desk.whole([rows(1, 20)], full);
    const id = await desk.begin(full);
    await desk.put(id, 1, 1, rows(1, 2));
    const preview = await desk.untilDone(() => desk.complete(id, 1, 2, { preview: true }));
    const shown = importJob.parse(preview.answer.body);
    expect(shown).toMatchObject({ state: "open", phase: "receiving", counts: { deleted: 0, valid: 2 } });
    expect(shown.plan).toMatchObject({ unchanged: 2, deleted: 18, gone: 18, ofSource: 20, created: 0 });
    expect((await desk.items()).size).toBe(20);
    // It is still open, and may grow.
    expect((await desk.put(id, 2, 3, rows(3, 4))).status).toBe(200);
    const { answer } = await desk.untilDone(() => desk.complete(id, 2, 4));
    expect(counted(importJob.parse(answer.body))).toEqual({ unchanged: 4, deleted: 16 });
  });

  test("finds what is gone however far apart it lies, and ends within as many calls as there are steps", async () => {
    await desk.whole([rows(1, 60)], full);
    const id = await desk.begin(full);
    await desk.put(id, 1, 1, rows(60, 60));
    const { answer, calls } = await desk.untilDone(() => desk.complete(id, 1, 1));
    expect(counted(importJob.parse(answer.body))).toEqual({ unchanged: 1, deleted: 59 });
    // Two ranges, twenty pages and a rest of each range.
    expect(calls).toBeLessThan(30);
  });
});

describe("imports of one tenant", () => {
  test("that are open change nothing for others, however many rows they hold", async () => {
    await desk.whole([rows(1, 9)]);
    await desk.put(await desk.begin(), 1, 1, rows(1, 9).replaceAll(",a,", ",b,"));
    await desk.begin({ dryRun: true });
    const before = await desk.items();
    expect(counted(await desk.whole([rows(1, 9)]))).toEqual({ unchanged: 9 });
    expect(await desk.items()).toEqual(before);
  });

  test("take their turns: the second waits, works on the first, and neither is blocked by one that was given up", async () => {
    const first = await desk.begin();
    await desk.put(first, 1, 1, rows(1, 20));
    await desk.complete(first, 1, 20);
    const second = await desk.begin({ source: "other" });
    await desk.put(second, 1, 1, rows(1, 5).replaceAll(",a,", ",b,"));
    const waits = await desk.complete(second, 1, 5);
    expect([waits.status, waits.body]).toEqual([
      202,
      expect.objectContaining({ state: "finishing", phase: "waiting", waitingFor: first }),
    ]);
    expect(codeOf(await desk.put(second, 2, 6, rows(6, 6)))).toBe("import-closed");
    // Nobody asks for the first any more.
    const { answer } = await desk.untilDone(() => desk.complete(second, 1, 5));
    expect(counted(importJob.parse(answer.body))).toEqual({ changed: 5 });
    expect((await desk.get(first)).counts.created).toBe(20);
    expect((await desk.complete(first, 1, 20)).status).toBe(200);
  });

  test("one that vanished from the head of the line is passed over", async () => {
    const first = await desk.begin();
    await desk.put(first, 1, 1, rows(1, 20));
    await desk.complete(first, 1, 20);
    await (await desk.database()).doc(`tenants/${desk.tenant}/imports/${first}`).delete();
    expect(counted(await desk.whole(["B,b,1,\n"]))).toEqual({ created: 1 });
  });

  test("a refusal that another's call came to is told to the one that it concerns", async () => {
    await desk.whole([rows(1, 20)], full);
    const first = await desk.begin({ scope: "full" });
    await desk.put(first, 1, 1, rows(1, 1));
    expect((await desk.complete(first, 1, 1)).status).toBe(202);
    expect(counted(await desk.whole(["B,b,1,\n"], { source: "other" }))).toEqual({ created: 1 });
    expect(await desk.get(first)).toMatchObject({ state: "open", phase: "receiving", plan: { gone: 19 } });
    expect(codeOf(await desk.complete(first, 1, 1))).toBe("too-many-deletes");
  });

  test("fifty that were forgotten block nobody: those that are gone, and those that receive nothing for a week", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 50; n++) ids.push(await desk.begin());
    expect(codeOf(await desk.call("POST", "/v1/imports", { body: csvImport }))).toBe("too-many-requests");
    const imports = (await desk.database()).collection(`tenants/${desk.tenant}/imports`);
    await imports.doc(ids[0] ?? "").delete();
    await imports.doc(ids[1] ?? "").update({ updatedAt: new Date(Date.now() - 8 * 86_400_000) });
    await desk.begin();
    await desk.begin();
    expect(await desk.get(ids[1] ?? "")).toMatchObject({ state: "cancelled", phase: "ended" });
    expect((await desk.complete(ids[1] ?? "", 0, 0)).text).toContain("no chunk came for 7 days");
    expect(codeOf(await desk.call("POST", "/v1/imports", { body: csvImport }))).toBe("too-many-requests");
  }, 60_000);
});

test("a forged cursor of the list is refused", async () => {
  for (const content of ["no json", '{"id":1}', ""]) {
    const body = Buffer.from(content).toString("base64url");
    const tie = createHash("sha256").update(`imports ${desk.tenant} ${body}`).digest().subarray(0, 16);
    const cursor = body + tie.toString("base64url");
    expect(codeOf(await desk.call("GET", `/v1/imports?cursor=${cursor}`))).toBe("invalid-cursor");
  }
});

test("what an import received is gone when it has ended, however it ended", async () => {
  const left = async (id: string) => {
    const job = (await desk.database()).doc(`tenants/${desk.tenant}/imports/${id}`);
    const found = await Promise.all(["rows", "plan", "progress"].map((name) => job.collection(name).get()));
    return found.map(({ size }) => size);
  };
  for (const more of [{}, { dryRun: true }, { undo: false }]) {
    const { id } = await desk.whole([rows(1, 9)], more);
    // A call that is over sooner than it began leaves them to their time to live.
    expect((await left(id)).every((size) => size <= 3)).toBe(true);
  }
  const id = await desk.begin();
  await desk.put(id, 1, 1, rows(1, 9));
  expect(await left(id)).toEqual([2, 0, 0]);
  await desk.call("DELETE", `/v1/imports/${id}`);
  expect(await left(id)).toEqual([0, 0, 0]);
});
