import { type Item, itemPage } from "@proveniq/contracts";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type CallOptions, codeOf } from "../../testing/client.ts";
import { type EmulatedCell, emulatedCell } from "../../testing/emulated-cell.ts";

let cell: EmulatedCell;
beforeAll(async () => {
  cell = await emulatedCell(inject("firestoreHost"), ["carrier-a", "carrier-b"]);
  for (const ownerId of ["u_1", "u_2"]) {
    for (let n = 0; n < 7; n += 1) {
      const body = {
        title: `${ownerId} ${n}`,
        category: n % 2 === 0 ? "art" : "wine",
        marketKey: n < 3 ? "wine:red" : undefined,
        externalId: `${ownerId}/${n}`,
        ownerId,
      };
      await cell.call("POST", "/v1/items", { body });
    }
  }
}, 30_000);
afterAll(() => cell.close());

/** Every page of a list, in order. */
async function all(query: string, options: CallOptions = {}): Promise<{ items: Item[]; pages: number }> {
  const items: Item[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const more = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = itemPage.parse((await cell.call("GET", `/v1/items?${query}${more}`, options)).body);
    items.push(...page.items);
    cursor = page.nextCursor;
    pages += 1;
  } while (cursor !== undefined && pages < 50);
  return { items, pages };
}

const titles = (items: Item[]) => items.map((i) => i.title);
const newestFirst = (owner: string) => [6, 5, 4, 3, 2, 1, 0].map((n) => `${owner} ${n}`);

describe("GET /v1/items", () => {
  it("200: a person's own, newest first, whatever the page size", async () => {
    for (const limit of [1, 2, 7, 100]) {
      const { items } = await all(`limit=${limit}`, { as: "u_1" });
      expect(titles(items)).toEqual(newestFirst("u_1"));
    }
  });

  it("200: the whole book for a partner, each item once; one owner's newest first", async () => {
    const { items } = await all("limit=4");
    expect(titles(items).toSorted()).toEqual([...newestFirst("u_1"), ...newestFirst("u_2")].toSorted());
    expect(titles((await all("limit=3&ownerId=u_2")).items)).toEqual(newestFirst("u_2"));
  });

  it("200: filters, alone and together, for people and partners", async () => {
    expect(titles((await all("category=wine&limit=2", { as: "u_1" })).items)).toEqual([
      "u_1 5",
      "u_1 3",
      "u_1 1",
    ]);
    expect(titles((await all("category=art&marketKey=wine:red", { as: "u_2" })).items)).toEqual([
      "u_2 2",
      "u_2 0",
    ]);
    expect(titles((await all("externalId=u_1%2F4")).items)).toEqual(["u_1 4"]);
    expect(titles((await all("externalId=u_1%2F4&category=wine")).items)).toEqual([]);
    expect((await all("category=wine&limit=1")).items).toHaveLength(6);
    expect(titles((await all("ownerId=u_1&marketKey=wine:red&limit=2")).items)).toEqual([
      "u_1 2",
      "u_1 1",
      "u_1 0",
    ]);
  });

  it("200: nothing of another tenant", async () => {
    expect((await all("", { tenant: "carrier-b" })).items).toEqual([]);
  });

  it("400: a cursor with another person, tenant or filter, or changed", async () => {
    const page = itemPage.parse((await cell.call("GET", "/v1/items?limit=2", { as: "u_1" })).body);
    const cursor = encodeURIComponent(page.nextCursor ?? "");
    const use = (query: string, options: CallOptions) =>
      cell.call("GET", `/v1/items?${query}&cursor=${cursor}`, options);
    expect((await use("limit=5", { as: "u_1" })).status).toBe(200);
    for (const answer of [
      await use("limit=2", { as: "u_2" }),
      await use("limit=2", {}),
      await use("limit=2", { as: "u_1", tenant: "carrier-b" }),
      await use("category=art", { as: "u_1" }),
      await cell.call("GET", `/v1/items?cursor=${cursor}A`, { as: "u_1" }),
      await cell.call("GET", "/v1/items?cursor=", { as: "u_1" }),
    ]) {
      expect(codeOf(answer)).toBe("invalid-cursor");
    }
  });

  it.each([
    "limit=0",
    "limit=101",
    "limit=-1",
    "limit=1e1",
    "limit=%201",
    "limit=",
    "limit=1&limit=1",
    "category=spaceship",
    "marketKey=Wine",
    "externalId=%20a",
    "externalId=%00",
    "ownerId=..%2F",
    "sort=title",
    "__proto__=1",
    "constructor=1",
    `cursor=${"A".repeat(1001)}`,
  ])("400: %s", async (query) => {
    expect(codeOf(await cell.call("GET", `/v1/items?${query}`))).toBe("invalid-request");
  });

  it("400: a person who asks for an owner", async () => {
    const answer = await cell.call("GET", "/v1/items?ownerId=u_2", { as: "u_1" });
    expect(answer.body).toMatchObject({ code: "invalid-request", errors: [{ path: "/ownerId" }] });
  });
});
