import type { Random } from "../random.ts";
import { bodyOf, type CellAnswer } from "./plan.ts";

/** What an answer is made for. */
export interface Asked {
  id: string;
  method: string;
  hasBody: boolean;
}

export type Maker = (random: Random, asked: Asked) => CellAnswer;

export const eol = "\r\n";
export const latin1 = (text: string) => Buffer.from(text, "latin1");

export function answer(
  name: string,
  more: Partial<CellAnswer> & { writes: CellAnswer["writes"] },
): CellAnswer {
  return { name, right: "own", status: 200, bytes: 0, from: "body", end: "keep", unsteady: false, ...more };
}

export const at0 = (...bytes: Buffer[]) => [{ afterMs: 0, bytes: Buffer.concat(bytes) }];

export function headOf(id: string, status: number, more: readonly string[]): string {
  return [`HTTP/1.1 ${status} Status`, "content-type: text/plain", `x-own: ${id}`, ...more, "", ""].join(eol);
}

/** Head and body, the body left out for a HEAD. */
export function whole(
  { id, method }: Asked,
  bytes: number,
  status = 200,
  more: readonly string[] = [],
): Buffer {
  const head = latin1(headOf(id, status, [`content-length: ${bytes}`, ...more]));
  return method === "HEAD" ? head : Buffer.concat([head, bodyOf(id, bytes)]);
}

export const small = (random: Random) => random.int(0, 5) * random.int(1, 400);
export const bytesSeen = ({ method }: Asked, bytes: number) => (method === "HEAD" ? 0 : bytes);

/** Cut anywhere, some milliseconds between the pieces. */
export function cutUp(random: Random, bytes: Buffer, most: number): CellAnswer["writes"] {
  const cuts = Array.from({ length: random.int(1, most) }, () => random.int(0, bytes.length));
  const ends = [...cuts, bytes.length].sort((a, b) => a - b);
  const pieces = ends
    .map((end, n) => bytes.subarray(ends[n - 1] ?? 0, end))
    .filter((piece) => piece.length > 0);
  return pieces.map((piece, n) => ({ afterMs: n === 0 ? 0 : random.int(0, 3), bytes: piece }));
}

export function chunksOf(random: Random, body: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const size = random.int(1, Math.max(1, Math.min(700, body.length - at)));
    const written = random.chance(0.3) ? size.toString(16).toUpperCase().padStart(4, "0") : size.toString(16);
    const extension = random.chance(0.2) ? ';x="y"' : "";
    parts.push(latin1(`${written}${extension}${eol}`), body.subarray(at, at + size), latin1(eol));
    at += size;
  }
  const trailers = random.chance(0.3) ? `x-own: trailer${eol}content-length: 7${eol}` : "";
  return [...parts, latin1(`0${eol}${trailers}${eol}`)];
}

export const interimOf = (random: Random, count: number) =>
  Array.from({ length: count }, () =>
    random.pick([
      `HTTP/1.1 100 Continue${eol}${eol}`,
      `HTTP/1.1 102 Processing${eol}${eol}`,
      `HTTP/1.1 103 Early Hints${eol}link: </a>${eol}${eol}`,
    ]),
  ).join("");
