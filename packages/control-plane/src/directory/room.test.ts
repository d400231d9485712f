import { expect, test } from "vitest";
import { roomFor } from "./room.ts";

test.each([
  [6_000, 8_192, {}],
  [6_554, 8_192, { warning: expect.stringContaining("6554 bytes, 80 % of the 8192") }],
  [8_192, 8_192, { warning: expect.stringContaining("100 % of the 8192") }],
  [8_193, 8_192, { refusal: expect.stringContaining("it has 8193 bytes, and directory.maxBytes") }],
  [9_000_000, "none", {}],
] as const)("a directory of %d bytes where %s are allowed", (bytes, allowed, told) => {
  expect(roomFor(bytes, allowed)).toEqual(told);
});
