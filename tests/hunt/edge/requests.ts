import type { Random } from "../random.ts";
import { type Ask, bodyOf } from "./plan.ts";

const host = "api.proveniq.io";

/** A request as bytes. */
export function bytesOf(ask: Ask): Buffer {
  const { id, method, tenant } = ask;
  const target = `${ask.absolute ? `http://${host}` : ""}/v1/items?own=${id}`;
  let head = `${method} ${target} HTTP/1.${ask.http10 ? 0 : 1}\r\nHost: ${host}\r\nX-Tenant-ID: ${tenant}\r\n`;
  head += `X-Request-ID: ${id}\r\nX-Own: ${id}\r\n`;
  if (ask.expects) head += "Expect: 100-continue\r\n";
  if (ask.close) head += "Connection: close\r\n";
  if (ask.padding > 0) head += `X-Padding: ${"p".repeat(ask.padding)}\r\n`;
  if (ask.framing === "length") head += `Content-Length: ${ask.bodyBytes}\r\n`;
  if (ask.framing === "chunked") head += "Transfer-Encoding: chunked\r\n";
  const start = Buffer.from(`${head}\r\n`, "latin1");
  if (ask.framing === "none") return start;
  const body = bodyOf(id, ask.bodyBytes);
  return Buffer.concat([start, ...(ask.framing === "length" ? [body] : chunksOf(ask, body))]);
}

function chunksOf({ chunkBytes, extensions, trailers }: Ask, body: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) {
    const part = body.subarray(at, at + chunkBytes);
    parts.push(
      Buffer.from(`${part.length.toString(16)}${extensions ? ";a=b" : ""}\r\n`),
      part,
      Buffer.from("\r\n"),
    );
  }
  parts.push(Buffer.from(`0\r\n${trailers ? "X-Tenant-ID: nobody\r\nAuthorization: Bearer x\r\n" : ""}\r\n`));
  return parts;
}

export type AskShape = Omit<Ask, "answer">;

/** A request that is valid, in any of the many ways that there are. */
export function makeAsk(random: Random, id: string, tenant: string, plain = false): AskShape {
  const method = plain
    ? "GET"
    : random.weighted([
        [8, "GET"],
        [1, "HEAD"],
        [4, "POST"],
        [1, "PUT"],
        [1, "DELETE"],
      ] as const);
  const framing =
    method === "POST" || method === "PUT"
      ? random.weighted([
          [6, "length"],
          [3, "chunked"],
          [1, "none"],
        ] as const)
      : "none";
  const bodyBytes = framing === "none" ? 0 : bodySize(random);
  const http10 = !plain && framing !== "chunked" && random.chance(0.05);
  return {
    id,
    method,
    tenant,
    http10,
    absolute: random.chance(0.1),
    expects: framing !== "none" && random.chance(0.2),
    close: random.chance(0.05),
    padding: random.chance(0.05) ? random.int(1_000, 12_000) : 0,
    framing,
    bodyBytes,
    chunkBytes: random.pick(bodyBytes < 3_000 ? [3, 100, 5_000] : [5_000, 70_000]),
    extensions: random.chance(0.2),
    trailers: random.chance(0.2),
  };
}

/** Around the 64 KiB up to which a body is kept for a second try, too. */
function bodySize(random: Random): number {
  return random.weighted([
    [1, 0],
    [12, random.int(1, 2_000)],
    [0.5, random.int(65_530, 65_545)],
    [1, random.int(66_000, 140_000)],
  ]);
}
