import { item } from "@proveniq/contracts";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { codeOf } from "../../testing/client.ts";
import { type EmulatedCell, emulatedCell } from "../../testing/emulated-cell.ts";

let cell: EmulatedCell;
beforeAll(async () => {
  cell = await emulatedCell(inject("firestoreHost"), ["carrier-a", "carrier-b"]);
});
afterAll(() => cell.close());

const absent = "/v1/items/AAAAAAAAAAAAAAAAAAAA";

/** A new item of this person: its path and tag. */
async function register(as: string, more: object = {}) {
  const body = { title: "Watch", category: "watch", attributes: { steel: true, year: 1968 }, ...more };
  const answer = await cell.call("POST", "/v1/items", { as, body });
  const created = item.parse(answer.body);
  return { created, path: `/v1/items/${created.id}`, etag: answer.headers.get("etag") ?? "" };
}

describe("GET /v1/items/{itemId}", () => {
  it("304: when the client has it already", async () => {
    const { path, etag } = await register("u_1");
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const answer = await cell.call("GET", path, { as: "u_1", headers: { "if-none-match": tag } });
      expect([answer.status, answer.text, answer.headers.get("etag")]).toEqual([304, "", etag]);
    }
    const other = await cell.call("GET", path, { as: "u_1", headers: { "if-none-match": '"1-x"' } });
    expect(other.status).toBe(200);
  });

  it("412: when it is not what the client means", async () => {
    const { path } = await register("u_1");
    const answer = await cell.call("GET", path, { as: "u_1", headers: { "if-match": '"1-x"' } });
    expect(codeOf(answer)).toBe("precondition-failed");
  });

  it("200: HEAD has the tag and no body", async () => {
    const { path, etag } = await register("u_1");
    const answer = await cell.call("HEAD", path, { as: "u_1" });
    expect([answer.status, answer.text, answer.headers.get("etag")]).toEqual([200, "", etag]);
  });

  it("404: the same for missing, another person's, another tenant's and impossible ids", async () => {
    const { path } = await register("u_1");
    const answers = await Promise.all([
      cell.call("GET", absent, { as: "u_1" }),
      cell.call("GET", path, { as: "u_2" }),
      cell.call("GET", path, { tenant: "carrier-b" }),
      cell.call("GET", "/v1/items/no..id", { as: "u_1" }),
      cell.call("GET", "/v1/items/a%25..%25b", { as: "u_1" }),
    ]);
    for (const answer of answers) expect([answer.status, answer.text]).toEqual([404, answers[0]?.text]);
  });
});

describe("PATCH /v1/items/{itemId}", () => {
  it("200: merges, removes with null, and gives the next version", async () => {
    const { path, created, etag } = await register("u_1", { description: "From my uncle" });
    const answer = await cell.call("PATCH", path, {
      as: "u_1",
      headers: { "if-match": etag, "content-type": "application/merge-patch+json" },
      body: { title: "Diver", description: null, attributes: { year: null, dial: "blue" } },
    });
    expect(answer.status).toBe(200);
    const { description: _, ...kept } = created;
    expect(item.parse(answer.body)).toEqual({
      ...kept,
      title: "Diver",
      attributes: { steel: true, dial: "blue" },
      version: 2,
      updatedAt: item.parse(answer.body).updatedAt,
    });
    expect((await cell.call("GET", path, { as: "u_1" })).body).toEqual(answer.body);
  });

  it("412: for a tag that is old or weak, and changes nothing", async () => {
    const { path, etag } = await register("u_1");
    const patch = (tag: string, title: string) =>
      cell.call("PATCH", path, { as: "u_1", body: { title }, headers: { "if-match": tag } });
    expect((await patch(`"x", ${etag}`, "second")).status).toBe(200);
    expect(codeOf(await patch(etag, "third"))).toBe("precondition-failed");
    const { headers } = await cell.call("GET", path, { as: "u_1" });
    expect(codeOf(await patch(`W/${headers.get("etag")}`, "third"))).toBe("precondition-failed");
    expect((await patch("*", "third")).body).toMatchObject({ title: "third", version: 3 });
  });

  it("one of many with the same tag wins", async () => {
    const { path, etag } = await register("u_1");
    const answers = await Promise.all(
      ["a", "b", "c", "d"].map((title) =>
        cell.call("PATCH", path, { as: "u_1", body: { title }, headers: { "if-match": etag } }),
      ),
    );
    expect(answers.map((a) => a.status).sort((a, b) => a - b)).toEqual([200, 412, 412, 412]);
  });

  it("404: for an item that is another's or missing, whatever the condition", async () => {
    const { path } = await register("u_1");
    const conditions: Record<string, string>[] = [{}, { "if-match": "*" }, { "if-match": '"1-x"' }];
    for (const headers of conditions) {
      const foreign = await cell.call("PATCH", path, { as: "u_2", body: { title: "mine" }, headers });
      const missing = await cell.call("PATCH", absent, { as: "u_2", body: { title: "mine" }, headers });
      expect([foreign.status, foreign.text]).toEqual([missing.status, missing.text]);
      expect([404, 412]).toContain(foreign.status);
    }
  });

  it("400: identity never changes, and nothing is no change", async () => {
    const { path } = await register("u_1");
    for (const body of [
      { externalId: "x" },
      { ownerId: "u_2" },
      { id: "x" },
      { version: 9 },
      {},
      { title: null },
    ]) {
      expect(codeOf(await cell.call("PATCH", path, { as: "u_1", body }))).toBe("invalid-request");
    }
  });

  it("400: more attributes than an item may have, when merged", async () => {
    const attributes = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`a${n}`, n]));
    const { path } = await register("u_1", { attributes });
    const answer = await cell.call("PATCH", path, { as: "u_1", body: { attributes: { one: "more" } } });
    expect(codeOf(answer)).toBe("invalid-request");
  });
});

describe("DELETE /v1/items/{itemId}", () => {
  it("204 and then 404; 204 again for the same Idempotency-Key", async () => {
    const { path, etag } = await register("u_1");
    const remove = (headers: Record<string, string>) => cell.call("DELETE", path, { as: "u_1", headers });
    const first = await remove({ "idempotency-key": "gone", "if-match": etag });
    expect([first.status, first.text]).toEqual([204, ""]);
    const again = await remove({ "idempotency-key": "gone", "if-match": etag });
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([204, "true"]);
    expect((await remove({})).status).toBe(404);
    expect((await cell.call("GET", path, { as: "u_1" })).status).toBe(404);
  });

  it("412: when it has changed; 404: another's", async () => {
    const { path } = await register("u_1");
    const stale = await cell.call("DELETE", path, { as: "u_1", headers: { "if-match": '"9-x"' } });
    expect(codeOf(stale)).toBe("precondition-failed");
    expect((await cell.call("DELETE", path, { as: "u_2" })).status).toBe(404);
    expect((await cell.call("GET", path, { as: "u_1" })).status).toBe(200);
  });
});
