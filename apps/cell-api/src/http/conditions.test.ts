import { describe, expect, it } from "vitest";
import { ifMatch, ifNoneMatch, matches } from "./conditions.ts";

describe("conditions", () => {
  it.each([
    [undefined, undefined],
    ["*", "*"],
    [' "a" , "b"', ['"a"', '"b"']],
    ['W/"a", "b"', ['"b"']],
    ['W/"a"', []],
    ['""', ['""']],
  ])("If-Match: %j", (value, tags) => {
    expect(ifMatch(value)).toEqual(tags);
  });

  it("If-None-Match compares weakly", () => {
    expect(ifNoneMatch('W/"a", "b"')).toEqual(['"a"', '"b"']);
  });

  it.each(["", ",", "a", '"a', 'a"', '"a" "b"', '*, "a"', 'w/"a"', '"a b"', '"é\u0000"'])(
    "refuses %j",
    (value) => {
      expect(() => ifMatch(value)).toThrow("If-Match");
      expect(() => ifNoneMatch(value)).toThrow("If-None-Match");
    },
  );

  it("a list of weak tags matches nothing", () => {
    expect(matches(ifMatch('W/"a"') ?? "*", '"a"')).toBe(false);
    expect(matches("*", '"a"')).toBe(true);
    expect(matches(['"b"', '"a"'], '"a"')).toBe(true);
  });
});
