import { importJob } from "@proveniq/contracts";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { codeOf } from "../../testing/client.ts";
import { type EmulatedCell, emulatedCell } from "../../testing/emulated-cell.ts";
import { counted, ImportDesk } from "../../testing/imports.ts";

let bulk: EmulatedCell;
let api: EmulatedCell;
const tenants = Array.from({ length: 8 }, (_, n) => `undo-${n + 1}`);
let used = 0;
let desk: ImportDesk;
beforeAll(async () => {
  // Pages of two things, one page a call: what is undone is undone in many steps.
  const importLimits = { pageRows: 2, callMs: 0, buckets: 2, inFlight: 1 };
  bulk = await emulatedCell(inject("firestoreHost"), tenants, { service: "bulk", importLimits });
  api = await emulatedCell(inject("firestoreHost"), tenants, { manifest: bulk.config.manifest });
});
beforeEach(() => {
  desk = new ImportDesk(bulk, tenants[used++] ?? "");
});
afterAll(() => Promise.all([bulk.close(), api.close()]));

const undo = (id: string) => desk.untilDone(() => desk.call("POST", `/v1/imports/${id}/undo`));
const undone = async (id: string) => importJob.parse((await undo(id)).answer.body).undo;

describe("an import that is undone", () => {
  test("puts back what it created, changed and deleted, in many calls, once however often it is asked", async () => {
    await desk.whole(["A,a,1,\nB,b,2,\nC,c,3,\nD,d,4,\n"], { scope: "full", maxDeletePercent: 100 });
    const before = await desk.items();
    const night = await desk.whole(["A,a,1,\nB,changed,2,\nE,e,5,\nF,f,6,\nD,,,D\n"], {
      scope: "full",
      maxDeletePercent: 100,
    });
    expect(counted(night)).toEqual({ unchanged: 1, changed: 1, created: 2, deleted: 2 });
    expect(night.undo).toMatchObject({ state: "possible", restored: 0, kept: 0 });

    const { answer, calls } = await undo(night.id);
    expect(calls).toBeGreaterThan(2);
    expect(importJob.parse(answer.body)).toMatchObject({
      state: "completed",
      counts: night.counts,
      undo: { state: "done", restored: 5, kept: 0 },
    });
    expect(await desk.titles()).toEqual({ A: "a", B: "b", C: "c", D: "d" });
    const after = await desk.items();
    for (const [id, item] of before) {
      const { body: _, version, writeId: __, updatedAt: ___, ...kept } = item;
      const now = after.get(id);
      expect(now).toMatchObject(kept);
      const touched = item["externalId"] !== "A";
      expect(now?.["version"]).toBeGreaterThanOrEqual(Number(version) + (touched ? 1 : 0));
    }
    const events = await desk.events();
    const stock = events.filter((e) => e === "item.created").length;
    expect(stock - events.filter((e) => e === "item.deleted").length).toBe(4);
    expect((await undo(night.id)).calls).toBe(1);
    expect(await desk.events()).toEqual(events);
    // It is of the source again: the next full import without it deletes it.
    expect(counted(await desk.whole(["A,a,1,\n"], { scope: "full", maxDeletePercent: 100 }))).toEqual({
      unchanged: 1,
      deleted: 3,
    });
  });

  test("leaves what somebody has changed since, and says so", async () => {
    await desk.whole(["A,a,1,\nB,b,2,\n"]);
    const { id } = await desk.whole(["A,changed,1,\nB,,,D\nC,c,3,\nD,d,4,\n"]);
    const person = desk.through(api);
    const ids = new Map([...(await desk.items())].map(([key, item]) => [item["externalId"], key]));
    await person.call("PATCH", `/v1/items/${ids.get("A")}`, { body: { title: "by hand" } });
    await person.call("DELETE", `/v1/items/${ids.get("C")}`);
    await person.call("POST", "/v1/items", { body: { title: "again", category: "art", externalId: "B" } });
    expect(await undone(id)).toEqual({ state: "done", restored: 1, kept: 3 });
    expect(await desk.titles()).toEqual({ A: "by hand", B: "again" });
    const { text } = await desk.call("GET", `/v1/imports/${id}/undo.ndjson`);
    const lines = text
      .trim()
      .split("\n")
      .map((line): { was: string; message: string } => JSON.parse(line));
    expect(lines.map(({ was, message }) => `${was}: ${message}`).sort()).toEqual([
      "changed: It was changed since.",
      "created: It was deleted since.",
      "deleted: It was entered again since.",
    ]);
  });

  test("gives a thing that it only took over back to its source", async () => {
    await desk.whole(["A,a,1,\n"], { source: "one" });
    const before = await desk.items();
    const job = await desk.whole(["A,a,1,\nB,b,2,\n"], { source: "two" });
    expect(counted(job)).toEqual({ unchanged: 1, created: 1 });
    const [[id = ""] = []] = before;
    expect((await desk.items()).get(id)).toMatchObject({ importSource: "two", version: 1 });
    expect(await undone(job.id)).toEqual({ state: "done", restored: 1, kept: 0 });
    expect(await desk.items()).toEqual(before);
  });

  test("when it was cancelled half way: what it had written goes", async () => {
    const id = await desk.begin();
    await desk.put(id, 1, 1, "A,a,1,\nB,b,1,\nC,c,1,\nD,d,1,\nE,e,1,\n");
    while ((await desk.items()).size === 0) await desk.complete(id, 1, 5);
    expect(codeOf(await desk.call("POST", `/v1/imports/${id}/undo`))).toBe("undo-impossible");
    const cancelled = await desk.call("DELETE", `/v1/imports/${id}`);
    const { counts } = importJob.parse(cancelled.body);
    expect(counts).toMatchObject({ rows: 5, created: (await desk.items()).size });
    expect(counts.valid + counts.created).toBe(5);
    expect(codeOf(await desk.complete(id, 1, 5))).toBe("import-closed");
    expect(await undone(id)).toEqual({ state: "done", restored: counts.created, kept: 0 });
    expect((await desk.items()).size).toBe(0);
    expect(codeOf(await desk.complete(id, 1, 5))).toBe("import-closed");
  });

  test("is refused where nothing was kept, with the reason", async () => {
    const detail = async (id: string) => {
      const { answer } = await undo(id);
      expect(codeOf(answer)).toBe("undo-impossible");
      return (answer.body as { detail: string }).detail;
    };
    const off = await desk.whole(["A,a,1,\n"], { undo: false });
    expect([off.undo?.state, await detail(off.id)]).toEqual(["off", "What it replaced was not kept."]);
    const dry = await desk.whole(["A,a,1,\n"], { dryRun: true });
    expect([dry.undo?.state, await detail(dry.id)]).toEqual(["off", "It wrote nothing."]);
    const old = await desk.whole(["A,b,1,\n"]);
    const job = (await desk.database()).doc(`tenants/${desk.tenant}/imports/${old.id}`);
    const engine = JSON.parse(String((await job.get()).get("engine")));
    await job.update({ engine: JSON.stringify({ ...engine, endedAt: Date.now() - 15 * 86_400_000 }) });
    expect((await desk.get(old.id)).undo?.state).toBe("expired");
    expect(await detail(old.id)).toContain("14 days");
  });
});
