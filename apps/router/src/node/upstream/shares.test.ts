import { expect, it } from "vitest";
import { Shares } from "./shares.ts";

/** Take as many as there are to be had. */
const all = (shares: Shares, tenant: string) => {
  let taken = 0;
  while (shares.take(tenant)) taken += 1;
  return taken;
};

it("a tenant has at most half of what no other holds", () => {
  const shares = new Shares(1_024, 8);
  expect(["a", "b", "c", "d"].map((tenant) => all(shares, tenant))).toEqual([512, 256, 128, 64]);
});

it("what is given back can be taken again, by anybody", () => {
  const shares = new Shares(8, 1);
  expect([all(shares, "a"), all(shares, "b")]).toEqual([4, 2]);
  for (let n = 0; n < 4; n += 1) shares.give("a");
  shares.give("nobody");
  expect(all(shares, "b")).toBe(2);
  expect(all(shares, "a")).toBe(2);
});

it("a few are anybody's", () => {
  const shares = new Shares(4, 8);
  expect(all(shares, "a")).toBe(8);
});
