import { createHash } from "node:crypto";
import { ProblemError } from "@proveniq/contracts";
import { expect, test } from "vitest";
import { readChunkBody } from "./body.ts";

async function read(type: string): Promise<string> {
  const body = "a,1\n";
  const digest = createHash("sha256").update(body).digest("base64");
  const headers = { "content-type": type, "content-digest": `sha-256=:${digest}:` };
  const request = new Request("http://cell/", { method: "PUT", body, headers });
  try {
    return (await readChunkBody(request, "csv")).bytes.toString();
  } catch (error) {
    if (error instanceof ProblemError) return `${error.code} ${error.detail}`;
    throw error;
  }
}

test.each([
  "text/csv",
  "text/csv; charset=utf-8",
  'text/csv;charset="UTF-8"',
  "text/csv; header=present",
  "TEXT/CSV; Charset=us-ascii",
])("a chunk of %s is read", async (type) => {
  expect(await read(type)).toBe("a,1\n");
});

test.each(["windows-1252", "ISO-8859-1", '"utf-16"'])(
  "one whose charset is %s is refused, with what to do",
  async (charset) => {
    const name = charset.replaceAll('"', "").toUpperCase();
    expect(await read(`text/csv; charset=${charset}`)).toMatch(
      new RegExp(`^unsupported-media-type .* iconv -f ${name} -t UTF-8`),
    );
  },
);
