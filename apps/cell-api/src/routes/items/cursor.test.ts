import { ProblemError } from "@proveniq/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCursor, encodeCursor } from "./cursor.ts";

const id = fc.stringMatching(/^[A-Za-z0-9]{20,32}$/);
const scope = fc.array(fc.option(fc.string(), { nil: undefined }), { maxLength: 7 });
const position = fc.record({ id, createdAtMs: fc.nat() });

/** The code of the problem; undefined when the cursor was accepted. */
function refusal(cursor: string, scope: (string | undefined)[], newestFirst = true): string | undefined {
  try {
    decodeCursor(cursor, scope, newestFirst);
    return undefined;
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}

describe("cursor", () => {
  it("comes back as it went out, in its own scope", () => {
    fc.assert(
      fc.property(position, scope, (at, s) => {
        expect(decodeCursor(encodeCursor(at, s), s, true)).toEqual(at);
      }),
    );
  });

  it("is refused in any other scope", () => {
    fc.assert(
      fc.property(position, scope, scope, (at, s, other) => {
        fc.pre(JSON.stringify(s.map((x) => x ?? null)) !== JSON.stringify(other.map((x) => x ?? null)));
        expect(refusal(encodeCursor(at, s), other)).toBe("invalid-cursor");
      }),
    );
  });

  it("is refused with any one character changed, added or missing", () => {
    const cursor = encodeCursor({ id: "b7Jq2mX9aL0cV4tR8sWd", createdAtMs: 1 }, ["t"]);
    for (let n = 0; n < cursor.length; n += 1) {
      const [before, after] = [cursor.slice(0, n), cursor.slice(n + 1)];
      const changed = [
        `${before}${cursor[n] === "A" ? "B" : "A"}${after}`,
        before + after,
        `${before}=${cursor[n]}${after}`,
      ];
      for (const other of changed) expect(refusal(other, ["t"])).toBe("invalid-cursor");
    }
  });

  it("is refused when it is rubbish", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (rubbish) => {
        expect(refusal(rubbish, ["t"])).toBe("invalid-cursor");
      }),
    );
  });

  it("is refused when forged into a position that no list has", () => {
    const forged = [{ id: "../../x" }, { id: "b7Jq2mX9aL0cV4tR8sWd", createdAtMs: 1e300 }, {}];
    for (const at of forged) expect(refusal(encodeCursor(at as never, ["t"]), ["t"])).toBe("invalid-cursor");
    const bookCursor = encodeCursor({ id: "b7Jq2mX9aL0cV4tR8sWd" }, ["t"]);
    expect(refusal(bookCursor, ["t"], true)).toBe("invalid-cursor");
    expect(decodeCursor(bookCursor, ["t"], false)).toEqual({ id: "b7Jq2mX9aL0cV4tR8sWd" });
  });
});
