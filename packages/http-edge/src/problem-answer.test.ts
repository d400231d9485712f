import { problem, problemCodes } from "@proveniq/contracts";
import { expect, it } from "vitest";
import { traceOf } from "./ids.ts";
import { problemText } from "./problem-answer.ts";

const ids = { requestId: "abcdefgh", trace: traceOf(undefined, undefined) };

/** An answer's bytes, read apart. */
function read(text: string) {
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const [line = "", ...rest] = head.split("\r\n");
  const headers = Object.fromEntries(
    rest.map((h) => [h.slice(0, h.indexOf(":")), h.slice(h.indexOf(":") + 2)]),
  );
  return { line, headers, body };
}

it.each(problemCodes)("%s is a whole answer that ends its connection", (code) => {
  const { status, text } = problemText(code, "What is wrong, in “words”.", ids);
  const { line, headers, body } = read(text);
  expect(line).toMatch(new RegExp(`^HTTP/1.1 ${status} [A-Za-z' -]+$`));
  const bytes = Buffer.from(body, "latin1");
  expect(headers).toMatchObject({
    "content-type": "application/problem+json",
    "content-length": String(bytes.length),
    connection: "close",
    "cache-control": "private, no-store",
    "x-request-id": "abcdefgh",
  });
  expect(problem.parse(JSON.parse(bytes.toString("utf8")))).toMatchObject({
    code,
    status,
    traceId: ids.trace.traceId,
    detail: "What is wrong, in “words”.",
  });
});

it("says which methods there are, where it is told", () => {
  const allowed = problemText("method-not-allowed", "Use GET.", { ...ids, allow: "GET" });
  expect(read(allowed.text).headers["allow"]).toBe("GET");
  expect(read(problemText("not-found", "", ids).text).headers).not.toHaveProperty("allow");
});

it.each([
  ["cell-busy", "1"],
  ["cell-unreachable", "2"],
  ["not-found", undefined],
] as const)("%s says %s about asking again", (code, after) => {
  expect(read(problemText(code, "", ids).text).headers["retry-after"]).toBe(after);
});
