import { array, check, integer, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkedDecoder, type Decoded } from "./chunked.ts";

function decode(pieces: readonly Buffer[]): { result: Decoded | undefined; body: Buffer } {
  const decoder = new ChunkedDecoder();
  const parts: Buffer[] = [];
  let result: Decoded | undefined;
  for (const piece of pieces) {
    result = decoder.decode(piece, (part) => parts.push(part));
    if (result.state !== "more") break;
  }
  return { result, body: Buffer.concat(parts) };
}

describe("ChunkedDecoder", () => {
  it("gives the same body however the bytes arrive", () => {
    const bodies = array(uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
    const result = check(
      property(bodies, integer({ min: 1, max: 30 }), (chunks, step) => {
        const coded = Buffer.concat([
          ...chunks.map((c) =>
            Buffer.concat([Buffer.from(`${c.length.toString(16)};x=1\r\n`), c, Buffer.from("\r\n")]),
          ),
          Buffer.from("0\r\nX-Trailer: 1\r\n\r\n"),
        ]);
        const pieces: Buffer[] = [];
        for (let at = 0; at < coded.length; at += step) pieces.push(coded.subarray(at, at + step));
        const { result, body } = decode(pieces);
        return result?.state === "done" && body.equals(Buffer.concat(chunks));
      }),
    );
    expect(result.failed).toBe(false);
  });

  it("says where the message ends", () => {
    expect(decode([Buffer.from("1\r\na\r\n0\r\n\r\nHTTP/1.1")]).result).toEqual({ state: "done", used: 11 });
  });

  it.each([
    "x\r\n",
    "-1\r\n",
    " 1\r\na\r\n",
    "0x1\r\na\r\n",
    "1\na\r\n",
    "1\r\nab\r\n",
    "1\r\na\n0\r\n\r\n",
    "1;a\rb\r\na\r\n",
    "123456789\r\n",
    "\r\n",
    `1;${"x".repeat(5_000)}\r\na\r\n`,
  ])("refuses %j", (text) => {
    expect(decode([Buffer.from(text)]).result?.state).toBe("error");
  });
});
