import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isBulkTarget, isPlainTarget } from "./target.ts";

describe("isPlainTarget", () => {
  it.each([
    "/",
    "/v1/items",
    "/v1/items/",
    "/v1/a%20b",
    "/..v/.well-known/x..",
    "/v1/items?x=/../%2e//\\%zz",
  ])("takes %s", (target) => expect(isPlainTarget(target)).toBe(true));

  it.each([
    "",
    "*",
    "v1/items",
    "http://a/v1/items",
    "//",
    "/v1//items",
    "/.",
    "/..",
    "/./v1",
    "/v1/..?x",
    "/v1/.?x",
    "/%2e/v1",
    "/%2E%2e/v1",
    "/.%2e/v1",
    "/%74/carrier-a",
    "/t/carrier%2Da",
    "/t%2fcarrier-a",
    "/t%5ccarrier-a",
    "/t\\carrier-a",
    "/v1/%",
    "/v1/%2",
    "/v1/%zz",
    "/v1/%00",
    "/v1/%7f",
    "/v1/items#x",
    "/v1/items?#x",
    "/v1/it ems",
    "/v1/items?x=ü",
    "/v1/ü",
    "/v1/\u0000",
  ])("refuses %j", (target) => expect(isPlainTarget(target)).toBe(false));

  // What may be escaped and need not be is the same to everybody once it is: nothing of it means anything in a path.
  const read = (path: string) =>
    path.split("/").map((segment) => segment.replaceAll(/%(..)/g, (_, hex: string) => byte(hex)));
  const byte = (hex: string) => String.fromCharCode(Number.parseInt(hex, 16));
  const piece = fc.constantFrom(
    "/",
    ".",
    "..",
    "%2e",
    "%2F",
    "%5c",
    "\\",
    "%74",
    "%20",
    "%c3%a9",
    "t",
    "v1",
    '"',
    "?",
    "#",
    ";",
  );

  it("lets pass only what a URL's reader leaves as it is, segment by segment", () => {
    let passed = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const target = `/${pieces.join("")}`;
        if (!isPlainTarget(target)) return;
        passed += 1;
        const seen = new URL(`http://cell${target}`);
        expect(read(seen.pathname)).toEqual(read(target.split("?", 1)[0] ?? ""));
        expect(seen.hash).toBe("");
      }),
      { numRuns: 5_000 },
    );
    expect(passed).toBeGreaterThan(500);
  });
});

describe("isBulkTarget", () => {
  it.each([
    ["/v1/imports", true],
    ["/v1/imports/", true],
    ["/v1/imports?limit=1", true],
    ["/v1/imports/i1/chunks/1", true],
    ["/t/carrier-a/v1/imports", true],
    ["/t/carrier-a/v1/imports/i1", true],
    ["/t/", false],
    ["/t/carrier-a", false],
    ["/t/v1/imports", false],
    ["/v1/importers", false],
    ["/v1/items/v1/imports", false],
    ["/v1/items?x=/v1/imports", false],
  ])("%s: %s", (target, bulk) => expect(isBulkTarget(target)).toBe(bulk));
});
