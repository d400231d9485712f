import { ProblemError } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { queryOf, validate } from "./validate.ts";

const errorsOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    if (error instanceof ProblemError) return error.errors;
    throw error;
  }
  throw new Error("nothing was refused");
};

describe("a body", () => {
  it("says of fields that are only answered that they are, and of others that they are unknown", () => {
    const schema = z.strictObject({ title: z.string() });
    const body = { title: "x", version: 7, colour: "red", toString: 1 };
    expect(errorsOf(() => validate(schema, body, "item", { version: "is read-only" }))).toEqual([
      { path: "/version", message: "is read-only" },
      { path: "/colour", message: "is not a known field" },
      { path: "/toString", message: "is not a known field" },
    ]);
  });
});

describe("a query", () => {
  it("is read by name", () => {
    expect(queryOf("http://localhost/v1/items?limit=5&category=art")).toEqual({
      limit: "5",
      category: "art",
    });
  });

  it("says where a fault is in the same way, whatever the fault", () => {
    const schema = z.strictObject({ "a/b": z.literal("x") });
    const read = (query: string) => () => validate(schema, queryOf(`http://localhost/?${query}`), "query");
    expect(errorsOf(read("a/b=y"))).toEqual([{ path: "/a~1b", message: "must be x" }]);
    expect(errorsOf(read("a/b=x&a/b=x"))).toEqual([{ path: "/a~1b", message: "is given twice" }]);
    expect(errorsOf(read("a/b=x&c=1"))).toEqual([{ path: "/c", message: "is not a known field" }]);
  });
});
