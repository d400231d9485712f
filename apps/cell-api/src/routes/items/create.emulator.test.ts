import { item } from "@proveniq/contracts";
import { readOutbox } from "@proveniq/db/outbox";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { codeOf } from "../../testing/client.ts";
import { type EmulatedCell, emulatedCell } from "../../testing/emulated-cell.ts";

let cell: EmulatedCell;
beforeAll(async () => {
  cell = await emulatedCell(inject("firestoreHost"), ["carrier-a", "carrier-b"]);
});
afterAll(() => cell.close());

const stone = {
  title: "Round brilliant, 0.23 ct",
  category: "jewellery",
  insuredValue: { amountMinor: 32_600, currency: "USD" },
  attributes: { carat: 0.23, cut: "Ideal", certified: true },
};

describe("POST /v1/items", () => {
  it("201: with the item, its tag and where it is", async () => {
    const answer = await cell.call("POST", "/v1/items", { as: "u_1", body: stone });
    const created = item.parse(answer.body);
    expect(created).toMatchObject({ ...stone, ownerId: "u_1", version: 1 });
    expect(answer.headers.get("location")).toBe(`/v1/items/${created.id}`);
    const again = await cell.call("GET", `/v1/items/${created.id}`, { as: "u_1" });
    expect(again.body).toEqual(created);
    expect(again.headers.get("etag")).toBe(answer.headers.get("etag"));
  });

  it("201: the location keeps the tenant's prefix, and works", async () => {
    const answer = await cell.call("POST", "/t/carrier-b/v1/items", { body: stone });
    const location = answer.headers.get("location") ?? "";
    expect(location).toMatch(/^\/t\/carrier-b\/v1\/items\/[A-Za-z0-9]+$/);
    expect((await cell.call("GET", location)).body).toEqual(answer.body);
  });

  it("201: a partner may name the owner", async () => {
    const answer = await cell.call("POST", "/v1/items", { body: { ...stone, ownerId: "policy-77" } });
    expect(answer.body).toMatchObject({ ownerId: "policy-77" });
  });

  it("201: the same Idempotency-Key gives the same answer, and one item", async () => {
    const post = () =>
      cell.call("POST", "/v1/items", { as: "u_idem", body: stone, headers: { "idempotency-key": "key 1" } });
    const answers = await Promise.all([post(), post(), post()]);
    answers.push(await post());
    for (const answer of answers) {
      expect([answer.status, answer.text]).toEqual([201, answers[0]?.text]);
      expect(answer.headers.get("location")).toBe(answers[0]?.headers.get("location"));
    }
    expect(answers.filter((a) => a.headers.get("idempotency-replayed") === null)).toHaveLength(1);
    const { body } = await cell.call("GET", "/v1/items", { as: "u_idem" });
    expect(body).toMatchObject({ items: [{ ownerId: "u_idem" }] });
    expect((body as { items: unknown[] }).items).toHaveLength(1);
    const pages = await readOutbox(await cell.pool.open("eu-partners"));
    const events = pages.flatMap((p) => p.events).filter((e) => e.after?.ownerId === "u_idem");
    expect(events).toHaveLength(1);
  });

  it("409: the same Idempotency-Key for another body", async () => {
    const headers = { "idempotency-key": "key-2" };
    await cell.call("POST", "/v1/items", { as: "u_1", body: stone, headers });
    const other = { ...stone, title: "Another" };
    const answer = await cell.call("POST", "/v1/items", { as: "u_1", body: other, headers });
    expect(codeOf(answer)).toBe("idempotency-conflict");
    // Keys belong to who sent them.
    expect((await cell.call("POST", "/v1/items", { as: "u_2", body: other, headers })).status).toBe(201);
  });

  it("409: an externalId that is taken in the same book, and only there", async () => {
    const body = { ...stone, externalId: "ACME 1/ä" };
    expect((await cell.call("POST", "/v1/items", { body })).status).toBe(201);
    expect(codeOf(await cell.call("POST", "/v1/items", { body }))).toBe("already-exists");
    expect((await cell.call("POST", "/v1/items", { body, as: "u_1" })).status).toBe(201);
    expect((await cell.call("POST", "/v1/items", { body, tenant: "carrier-b" })).status).toBe(201);
  });

  it("400: a person who names an owner, even themselves", async () => {
    const answer = await cell.call("POST", "/v1/items", { as: "u_1", body: { ...stone, ownerId: "u_1" } });
    expect(answer.body).toMatchObject({ code: "invalid-request", errors: [{ path: "/ownerId" }] });
  });

  it("400: an Idempotency-Key that is too long or not ASCII, and If-None-Match", async () => {
    const refused: Record<string, string>[] = [
      { "idempotency-key": "x".repeat(256) },
      { "idempotency-key": "é" },
      { "idempotency-key": "two, headers" },
      { "if-none-match": "*" },
    ];
    for (const headers of refused) {
      expect(codeOf(await cell.call("POST", "/v1/items", { body: stone, headers }))).toBe("invalid-request");
    }
    const headers = { "idempotency-key": "x".repeat(255) };
    expect((await cell.call("POST", "/v1/items", { body: stone, headers })).status).toBe(201);
  });
});
