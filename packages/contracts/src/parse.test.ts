import { describe, expect, it } from "vitest";
import { z } from "zod";
import { faultsOf, pointerOf } from "./parse.ts";

const told = (schema: z.ZodType, value: unknown) => {
  const { error } = schema.safeParse(value);
  return error === undefined ? [] : faultsOf(error).map((f) => `${f.path} ${f.message}`.trim());
};

describe("what is told of a fault", () => {
  it.each<[string, z.ZodType, unknown]>([
    ["/a is missing", z.object({ a: z.string() }), {}],
    ["must be text", z.string(), 1],
    ["must be a number", z.number(), "1"],
    ["must be a number", z.number(), Number.NaN],
    ["must be a whole number", z.int(), 1.5],
    ["must be true or false", z.boolean(), "true"],
    ["must be an object", z.object({}), []],
    ["must be an object", z.record(z.string(), z.string()), "x"],
    ["must be a list", z.array(z.string()), {}],
    ["must not be empty", z.string().min(1), ""],
    ["must have at least 3 characters", z.string().min(3), "ab"],
    ["must have at most 1 character", z.string().max(1), "ab"],
    ["must have exactly 64 characters", z.string().length(64), "ab"],
    ["must have exactly 1 character", z.string().length(1), ""],
    ["must not be empty", z.array(z.string()).min(1), []],
    ["must have at most 2 entries", z.array(z.string()).max(2), ["a", "b", "c"]],
    ["must be at least 1", z.number().min(1), 0],
    ["must be more than 0", z.number().positive(), 0],
    ["must be at most 100", z.int().max(100), 101],
    ["must be less than 1", z.number().lt(1), 1],
    ["must be a multiple of 5", z.number().multipleOf(5), 7],
    ["must be eu", z.literal("eu"), "us"],
    ["must be one of global, eu", z.enum(["global", "eu"]), "mars"],
    ["must be a URL", z.url(), "x"],
    ["must be a day such as 2024-05-17", z.iso.date(), "17.5.2024"],
    ["must be a time such as 2024-05-17T09:30:00Z", z.iso.datetime(), "noon"],
    ["must be a valid ipv4", z.ipv4(), "x"],
    ["must begin with gs://", z.string().startsWith("gs://"), "x"],
    ["must end with .json", z.string().endsWith(".json"), "x"],
    ["must contain @", z.string().includes("@"), "x"],
    ["must match /^[a-z]$/", z.string().regex(/^[a-z]$/), "X"],
    ["/b is not a known field", z.strictObject({}), { b: 1 }],
    [
      "/B has a name that must be lower-case",
      z.record(z.string().regex(/^[a-z]$/, "must be lower-case"), z.string()),
      { B: "" },
    ],
    ["is of none of the kinds that are allowed here", z.union([z.string(), z.number()]), true],
    [
      "/kind must be one of a, b",
      z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") }), z.object({ kind: z.literal("b") })]),
      { kind: "c" },
    ],
    ["is not valid", z.string().refine(() => false), "x"],
    ["says it itself", z.string("says it itself"), 1],
  ])("%s", (sentence, schema, value) => {
    expect(told(schema, value)).toEqual([sentence]);
  });

  it("is where it is, as a JSON pointer", () => {
    expect(pointerOf(["a/b", "~", 0])).toBe("/a~1b/~0/0");
  });
});
