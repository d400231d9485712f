import { type Attack, bearer, list } from "./attack.ts";

/** What is asked for by its id, and how lists are narrowed. */
export const objectAttacks: readonly Attack[] = [
  {
    name: "paths, defaults, NUL and escapes as item id",
    make: (s, door) =>
      [
        "(default)",
        "__x__",
        "..",
        "%2e%2e",
        "..%2f..%2fattack-blue%2fitems",
        `..%2F..%2Fattack-blue%2Fitems%2F${"0".repeat(20)}`,
        "%00",
        "a%00b",
        "%c0%ae%c0%ae",
        "a".repeat(2_000),
        "*",
        "%25",
        "b7Jq2mX9aL0cV4tR8sWd%2f",
      ].map((id) => list(door, [bearer(s.red.key)], `/v1/items/${id}`)),
    outcomes: ["404 not-found", "400 invalid-request"],
  },
  {
    name: "another person's, partner's and cell's item by its id",
    make: (s, door) =>
      [s.red.key, s.red.staff, s.red.person].flatMap((credential) =>
        Object.values(s.ids).map((id) => list(door, [bearer(credential)], `/v1/items/${id}`)),
      ),
    outcomes: ["404 not-found"],
  },
  {
    name: "another's entity tag, guessed or known",
    make: async (s, door) => {
      const seen = await s.world.call("eu", s.blue.key, "GET", `/v1/items/${s.ids.blue}`);
      return ["if-none-match", "if-match"].flatMap((name) =>
        [seen.headers["etag"] ?? "", "*"].map((tag) =>
          list(door, [bearer(s.red.key), [name, tag]], `/v1/items/${s.ids.blue}`),
        ),
      );
    },
    outcomes: ["404 not-found"],
  },
  {
    name: "filters that reach for another's things",
    make: (s, door) =>
      [
        `externalId=${s.canary}-blue`,
        "ownerId=bob",
        `ownerId=${s.blue.tenant}`,
        "limit=100",
        "limit=100&ownerId=ben",
      ].map((query) => list(door, [bearer(s.red.key)], `/v1/items?${query}`)),
    outcomes: ["200"],
  },
  {
    name: "filters that are no filters",
    make: (s, door) =>
      [
        "ownerId=bob&ownerId=rosa",
        "ownerId[]=bob",
        "ownerId[$ne]=rosa",
        "where=1",
        "limit=-1",
        "limit=1e9",
        "limit=101",
        "offset=-100",
        "category=art,wine",
        "cursor=x",
        "fields=*",
        "__proto__=1",
        "constructor=1",
      ].map((query) => list(door, [bearer(s.red.key)], `/v1/items?${query}`)),
    outcomes: ["400 invalid-request", "400 invalid-cursor"],
  },
  {
    name: "a person asking for another owner's things",
    make: (s, door) =>
      ["ownerId=rita", "ownerId=rosa", `ownerId=${s.red.tenant}`].map((query) =>
        list(door, [bearer(s.red.person)], `/v1/items?${query}`),
      ),
    outcomes: ["400 invalid-request"],
  },
];
