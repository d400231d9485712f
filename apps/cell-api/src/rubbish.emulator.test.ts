import { problem } from "@proveniq/contracts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Answer } from "./testing/client.ts";
import { type EmulatedCell, emulatedCell } from "./testing/emulated-cell.ts";

let cell: EmulatedCell;
beforeAll(async () => {
  cell = await emulatedCell(inject("firestoreHost"), ["carrier-a"]);
});
afterAll(() => cell.close());

const valid = { title: "Ring", category: "jewellery" };
const money = (amountMinor: unknown, currency: unknown = "EUR") => ({
  ...valid,
  insuredValue: { amountMinor, currency },
});
const raw = (text: string) => `{"title":"Ring","category":"jewellery",${text}}`;

const rubbish: [string, unknown, string][] = [
  ["null", null, "invalid-request"],
  ["a list", [valid], "invalid-request"],
  ["a string", '"Ring"', "invalid-request"],
  ["nothing", "", "invalid-json"],
  ["half", '{"title":', "invalid-json"],
  ["a missing field", { title: "Ring" }, "invalid-request"],
  ["an unknown field", { ...valid, colour: "red" }, "invalid-request"],
  ["a field of the answer", { ...valid, version: 7 }, "invalid-request"],
  ["another type", { ...valid, title: 7 }, "invalid-request"],
  ["an empty title", { ...valid, title: "" }, "invalid-request"],
  ["a long title", { ...valid, title: "x".repeat(301) }, "invalid-request"],
  ["NUL", raw('"description":"a\\u0000b"'), "invalid-request"],
  ["half a surrogate pair", raw('"description":"\\ud83d"'), "invalid-request"],
  ["half a pair in externalId", raw('"externalId":"\\ud83d"'), "invalid-request"],
  ["__proto__", raw('"__proto__":{"ownerId":"u_9"}'), "invalid-request"],
  ["__proto__ in attributes", raw('"attributes":{"__proto__":{"a":1}}'), "invalid-request"],
  ["attributes of attributes", { ...valid, attributes: { a: { b: 1 } } }, "invalid-request"],
  ["an attribute that is too large a number", raw('"attributes":{"a":1e999}'), "invalid-request"],
  [
    "51 attributes",
    { ...valid, attributes: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`a${n}`, n])) },
    "invalid-request",
  ],
  ["negative money", money(-1), "invalid-request"],
  ["half a cent", money(0.5), "invalid-request"],
  ["more money than can be counted", money(2 ** 53), "invalid-request"],
  ["money as text", money("100"), "invalid-request"],
  ["a bad currency", money(1, "XXX"), "invalid-request"],
  ["currency constructor", money(1, "constructor"), "invalid-request"],
  ["a day that is none", { ...valid, acquiredOn: "2023-02-29" }, "invalid-request"],
  ["2,000 deep", raw(`"a":${"[".repeat(2_000)}${"]".repeat(2_000)}`), "invalid-json"],
  [
    "many unknown fields",
    Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`f${n}`, n])),
    "invalid-request",
  ],
  ["10 MB", `"${"x".repeat(10_000_000)}"`, "payload-too-large"],
  ["bad UTF-8", new Uint8Array([0x7b, 0xc3, 0x28, 0x7d]), "invalid-json"],
];

/** No stack, no file, no word of what is inside. */
function expectClean(answer: Answer): void {
  expect(answer.text).not.toMatch(/\bat .+:\d+|node_modules|\.ts\b|firestore|zod/i);
  expect(answer.text.length).toBeLessThan(8_000);
}

describe("rubbish as a body", () => {
  it.each(rubbish)("%s", async (_, body, code) => {
    const sent = body === null ? "null" : body;
    const created = await cell.call("POST", "/v1/items", { body: sent });
    expect(problem.parse(created.body).code).toBe(code);
    expectClean(created);
    const patched = await cell.call("PATCH", "/v1/items/AAAAAAAAAAAAAAAAAAAA", { body: sent });
    expect(patched.status).toBeGreaterThanOrEqual(400);
    expect(patched.status).toBeLessThan(500);
    expectClean(patched);
  });

  it("whatever JSON it is, it is taken or refused with a documented problem", async () => {
    const field = fc.constantFrom(
      "title",
      "category",
      "externalId",
      "insuredValue",
      "attributes",
      "acquiredOn",
      "ownerId",
      "x",
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom("art", "EUR", "2024-05-17"),
      fc.string({ unit: "binary" }),
    );
    const body = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(field, value).map((fields) => ({ ...valid, ...fields })),
    );
    await fc.assert(
      fc.asyncProperty(body, async (b) => {
        const answer = await cell.call("POST", "/v1/items", { body: JSON.stringify(b) });
        expect([201, 400, 409]).toContain(answer.status);
        // Names of unknown fields come back, and by chance they may be any word: so only stacks are looked for.
        expect(answer.text).not.toMatch(/node_modules|\\n\s+at /);
      }),
      { numRuns: 200 },
    );
  });

  it("whatever bytes they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const answer = await cell.call("POST", "/v1/items", { body: bytes });
        expect(answer.status).toBe(400);
        expectClean(answer);
      }),
    );
  });
});

describe("rubbish elsewhere", () => {
  it.each([
    ["If-Match", { "if-match": "3" }],
    ["If-None-Match", { "if-none-match": "W/" }],
    ["X-Tenant-ID", { "x-tenant-id": "../carrier-a" }],
    ["two X-Tenant-IDs", { "x-tenant-id": "carrier-a, carrier-a" }],
    ["Idempotency-Key", { "idempotency-key": "\u00e9" }],
    ["Authorization", { authorization: "Bearer \u00ff" }],
  ])("%s", async (_, headers) => {
    for (const method of ["GET", "DELETE"]) {
      const answer = await cell.call(method, "/v1/items/AAAAAAAAAAAAAAAAAAAA", { headers });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expectClean(answer);
    }
  });

  it("whatever the path and query", async () => {
    const segment = fc.oneof(
      fc.constantFrom("t", "v1", "items", "cell", "..", ".", "%2e", "%", "carrier-a"),
      fc.string(),
    );
    const path = fc
      .array(segment, { maxLength: 6 })
      .map((parts) => `/${parts.map((p) => p.replace(/[\s#]/g, "")).join("/")}`);
    await fc.assert(
      fc.asyncProperty(path, fc.webQueryParameters(), async (p, q) => {
        const url = new URL(`http://localhost${p.replace(/^\/+/, "/")}?${q}`);
        const answer = await cell.call("GET", url.pathname + url.search);
        expect(answer.status).toBeLessThan(500);
        if (answer.status >= 400) expectClean(answer);
      }),
    );
  });
});
