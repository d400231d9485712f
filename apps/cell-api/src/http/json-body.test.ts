import { ProblemError } from "@proveniq/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { depthOf, maxJsonBytes, readJson } from "./json-body.ts";

const json = { "content-type": "application/json" };

/** Read a body in this way; gives the value, or the code of the problem. */
async function read(
  body: string | Uint8Array | ReadableStream,
  headers: Record<string, string> = json,
): Promise<unknown> {
  const request = new Request("http://localhost/", {
    method: "POST",
    body,
    headers,
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
  });
  try {
    return (await readJson(request, ["application/json"])).value;
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}

describe("readJson", () => {
  it("reads what JSON can say", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 5 }), async (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__") && !/\\ud[89a-f]/i.test(text));
        expect(await read(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ["text/plain", "unsupported-media-type"],
    ["application/jsonp", "unsupported-media-type"],
    ["", "unsupported-media-type"],
  ])("media type %j: %s", async (type, code) => {
    expect(await read("{}", { "content-type": type })).toBe(code);
  });

  it("takes parameters and capitals of the media type", async () => {
    expect(await read("{}", { "content-type": "Application/JSON; charset=utf-8" })).toEqual({});
  });

  it.each([
    ["nothing", ""],
    ["half an object", '{"a":'],
    ["a trailing comma", "[1,]"],
    ["two values", "{} {}"],
    ["bad UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["UTF-16", new Uint8Array([0x7b, 0, 0x7d, 0])],
    ["21 levels", "[".repeat(21) + "]".repeat(21)],
    ["2,000 levels", '{"a":'.repeat(2_000) + "1" + "}".repeat(2_000)],
    ["100,000 open brackets", "[".repeat(100_000)],
  ])("invalid-json: %s", async (_, body) => {
    expect(await read(body)).toBe("invalid-json");
  });

  it.each([
    ["__proto__ at the top", '{"__proto__":{"admin":true}}'],
    ["__proto__ below", '{"a":[{"__proto__":1}]}'],
    ["__proto__ with an escape", '{"\\u005f_proto__":1}'],
    ["half a surrogate pair", '{"a":"\\ud800"}'],
    ["half a pair as a name", '{"\\udc00":1}'],
  ])("invalid-request: %s", async (_, body) => {
    expect(await read(body)).toBe("invalid-request");
  });

  it("stops reading at the limit, whether the length is announced or not", async () => {
    const large = `"${"x".repeat(maxJsonBytes)}"`;
    expect(await read(large, { ...json, "content-length": String(large.length) })).toBe("payload-too-large");
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    expect(await read(endless)).toBe("payload-too-large");
    expect(sent).toBeLessThan(3 * maxJsonBytes);
  });

  it("says so when the body breaks off", async () => {
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
    expect(await read(broken)).toBe("invalid-request");
  });
});

describe("depthOf", () => {
  it("counts nesting as the parser would, whatever the strings hold", () => {
    const depth = (value: unknown): number => {
      if (typeof value !== "object" || value === null) return 0;
      return 1 + Math.max(0, ...Object.values(value).map(depth));
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(depthOf(JSON.stringify(value))).toBe(depth(value));
      }),
    );
  });
});
