import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headFault } from "./head-rule.ts";

const host = ["Host", "a"];
const twoWays = "The length of the body is stated in two ways.";
const noHost = "Exactly one Host header is needed, of plain characters.";

describe("headFault", () => {
  it.each([
    ["nothing but a host", host, true, undefined],
    ["a host in HTTP/1.0", host, false, undefined],
    ["a length", [...host, "Content-Length", "12"], true, undefined],
    ["chunks", [...host, "transfer-encoding", "Chunked"], true, undefined],
    ["no host", [], true, noHost],
    ["an empty host", ["host", ""], true, noHost],
    ["two hosts", [...host, "HOST", "a"], true, noHost],
    ["a control character in the host", ["host", "a\x9b"], true, noHost],
    [
      "two equal lengths",
      [...host, "content-length", "2", "Content-Length", "2"],
      true,
      "Content-Length came more than once.",
    ],
    ["a length with a sign", [...host, "content-length", "+2"], true, "Content-Length is not a number."],
    [
      "an endless length",
      [...host, "content-length", "9".repeat(16)],
      true,
      "Content-Length is not a number.",
    ],
    [
      "a length beside chunks",
      [...host, "content-length", "2", "transfer-encoding", "chunked"],
      true,
      twoWays,
    ],
    [
      "chunks twice",
      [...host, "transfer-encoding", "chunked", "transfer-encoding", "chunked"],
      true,
      twoWays,
    ],
    [
      "an empty coding",
      [...host, "transfer-encoding", ""],
      true,
      "Transfer-Encoding other than chunked is not supported.",
    ],
    [
      "gzip before chunks",
      [...host, "transfer-encoding", "gzip, chunked"],
      true,
      "Transfer-Encoding other than chunked is not supported.",
    ],
    [
      "chunks in HTTP/1.0",
      [...host, "transfer-encoding", "chunked"],
      false,
      "HTTP/1.0 knows no Transfer-Encoding.",
    ],
    [
      "two credentials",
      [...host, "authorization", "a", "Authorization", "b"],
      true,
      "Authorization came more than once.",
    ],
  ])("%s", (_name, raw, http11, fault) => {
    expect(headFault(raw, http11)).toBe(fault);
  });

  it("lets pass only what has one host, and one way at most to tell a length", () => {
    const names = ["Host", "hOST", "Content-Length", "content-length", "Transfer-Encoding", "X-A"];
    const values = ["a", "0", "12", "chunked", "identity", "", "1 2"];
    const header = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values));
    fc.assert(
      fc.property(fc.array(header, { maxLength: 5 }), fc.boolean(), (headers, http11) => {
        if (headFault(headers.flat(), http11) !== undefined) return;
        const of = (name: string) =>
          headers.filter(([n]) => n.toLowerCase() === name).map(([, value]) => value);
        expect(of("host")).toHaveLength(1);
        expect(of("content-length").length + of("transfer-encoding").length).toBeLessThan(2);
        for (const length of of("content-length")) expect(length).toMatch(/^[0-9]+$/);
        for (const coding of of("transfer-encoding")) expect([coding, http11]).toEqual(["chunked", true]);
      }),
    );
  });
});
