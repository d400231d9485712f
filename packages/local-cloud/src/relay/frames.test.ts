import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FrameHeader, FrameReader } from "./frames.ts";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

function encode(frame: { type: number; flags: number; stream: number; payload: Uint8Array }): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(frame.payload.length, 0, 3);
  header.writeUInt8(frame.type, 3);
  header.writeUInt8(frame.flags, 4);
  header.writeUInt32BE(frame.stream, 5);
  return Buffer.concat([header, frame.payload]);
}

const frame = fc.record({
  type: fc.integer({ min: 0, max: 9 }),
  flags: fc.integer({ min: 0, max: 255 }),
  stream: fc.integer({ min: 0, max: 0x7fffffff }),
  payload: fc.uint8Array({ maxLength: 40 }),
});

describe("the frame reader", () => {
  it("sees the same frames however the bytes are split", () => {
    fc.assert(
      fc.property(
        fc.array(frame),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        (frames, cuts) => {
          const bytes = Buffer.concat([preface, ...frames.map(encode)]);
          const seen: { frame: FrameHeader; payload: Buffer[] }[] = [];
          let ended = 0;
          const reader = new FrameReader(true, {
            begin: (header) => seen.push({ frame: header, payload: [] }),
            payload: (_, part) => seen.at(-1)?.payload.push(part),
            end: () => {
              ended += 1;
            },
          });
          for (let at = 0, n = 0; at < bytes.length; n++) {
            const size = cuts[n % cuts.length] ?? 1;
            reader.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(ended).toBe(frames.length);
          expect(seen.map((s) => [s.frame.type, s.frame.stream, Buffer.concat(s.payload)])).toEqual(
            frames.map((f) => [f.type, f.stream, Buffer.from(f.payload)]),
          );
          expect(seen.map((s) => s.frame.endStream)).toEqual(
            frames.map((f) => f.type < 2 && f.flags % 2 === 1),
          );
        },
      ),
    );
  });

  it("reports nothing of what is not HTTP/2", () => {
    let begun = 0;
    const reader = new FrameReader(true, { begin: () => (begun += 1) });
    reader.push(Buffer.from("PRI * HTT"));
    expect(reader.otherProtocol).toBe(false);
    reader.push(Buffer.from("X/1.1\r\nHost: localhost\r\n\r\n some more bytes"));
    expect(reader.otherProtocol).toBe(true);
    expect(begun).toBe(0);
  });
});
