import {
  answer,
  at0,
  bytesSeen,
  chunksOf,
  cutUp,
  eol,
  headOf,
  interimOf,
  latin1,
  type Maker,
  small,
  whole,
} from "./answer-bytes.ts";
import { bodyOf } from "./plan.ts";

/** Says that it stays, and goes. */
const liesFin: Maker = (random, asked) => {
  const bytes = small(random);
  const says = random.pick(["keep-alive: timeout=600", "connection: keep-alive"]);
  const writes = at0(whole(asked, bytes, 200, [says]));
  return answer("lies-fin", { bytes: bytesSeen(asked, bytes), writes, end: "fin", unsteady: true });
};

const liesRst: Maker = (random, asked) => ({
  ...liesFin(random, asked),
  name: "lies-rst",
  right: "any",
  end: "rst",
});

const lateSurplus: Maker = (random, asked) => {
  const bytes = small(random);
  const writes = [...at0(whole(asked, bytes)), { afterMs: random.int(1, 12), bytes: latin1("surplus") }];
  return answer("late-surplus", { bytes: bytesSeen(asked, bytes), writes, unsteady: true });
};

/** Ends at any byte. */
const broken: Maker = (random, asked) => {
  const bytes = random.int(1, 600);
  const all = random.chance(0.5)
    ? whole(asked, bytes)
    : Buffer.concat([
        latin1(headOf(asked.id, 200, ["transfer-encoding: chunked"])),
        ...(asked.method === "HEAD" ? [] : chunksOf(random, bodyOf(asked.id, bytes))),
      ]);
  const cut = random.int(0, all.length - 1);
  const end = random.pick(["fin", "rst"] as const);
  return answer(`broken-${end}`, {
    right: "cut",
    bytes: bytesSeen(asked, bytes),
    from: random.pick(["head", "body"]),
    writes: random.chance(0.5) ? at0(all.subarray(0, cut)) : cutUp(random, all.subarray(0, cut), 3),
    end,
  });
};

/** Heads that are none: nothing of them may reach the client. */
const oddHead: Maker = (random, asked) => {
  const control = random.pick(["\x01", "\x0b", "\x7f", "\0", "\x1b", "\b", "\r", "\n"]);
  const own = `x-own: ${asked.id}${eol}content-length: 2${eol}`;
  const head = random.pick([
    `HTTP/1.1 200 O${control}K${eol}${own}${eol}`,
    `HTTP/1.1 200 OK${eol}${own}x-a: a${control}b${eol}${eol}`,
    `HTTP/1.1 200 OK${eol}${own}x-${control}a: b${eol}${eol}`,
    `HTTP/1.1 200 OK${eol}${own}x-a : b${eol}${eol}`,
    `HTTP/1.1 200 OK${eol}${own}: b${eol}${eol}`,
    `HTTP/1.1 200 OK${eol}${own}x-a: 1${eol} folded${eol}${eol}`,
    `HTTP/1.1 200 OK${eol}${own}no colon${eol}${eol}`,
    `HTTP/1.1 200 OK${eol}${own}content-length: 3${eol}${eol}`,
    `HTTP/1.1 200 OK${eol}${own}transfer-encoding: chunked${eol}${eol}`,
    `HTTP/1.1 200 OK${eol}content-length: ${random.pick(["-1", "+2", "0x2", "2_0", "2, 2", "99999999999999999999"])}${eol}${eol}`,
    `HTTP/1.1 200 OK${eol}transfer-encoding: ${random.pick(["gzip, chunked", "identity", "xchunked"])}${eol}${eol}`,
    `HTTP/1.1 101 Switching Protocols${eol}upgrade: x${eol}${eol}`,
    `HTTP/2.0 200 OK${eol}${own}${eol}`,
    `HTTP/1.1 2${control}0 OK${eol}${own}${eol}`,
    `HTTP/1.1 999 OK${eol}${own}${eol}`,
    `HTTP/1.1 000 OK${eol}${own}${eol}`,
    `SSH-2.0-OpenSSH_9.9${eol}${eol}`,
    `HTTP/1.1 200 OK${eol}x-long: ${"a".repeat(random.int(33_000, 40_000))}${eol}${eol}`,
    interimOf(random, random.int(9, 40)),
  ]);
  const all = latin1(`${head}ab`);
  return answer("odd-head", {
    right: "problem",
    from: random.pick(["head", "body"]),
    writes: random.chance(0.6) ? at0(all) : cutUp(random, all, 4),
  });
};

const oddChunks: Maker = (random, asked) => {
  const bad = random.pick([
    `xyz${eol}abc${eol}`,
    ` 3${eol}abc${eol}`,
    `0x3${eol}abc${eol}`,
    `+3${eol}abc${eol}`,
    `2_0${eol}abc${eol}`,
    `3\nabc${eol}`,
    `3${eol}abcd${eol}`,
    `3;a\rb${eol}abc${eol}`,
    `123456789${eol}abc`,
    `3;${"x".repeat(5_000)}${eol}abc${eol}`,
    `-1${eol}${eol}`,
  ]);
  const head = headOf(asked.id, 200, ["transfer-encoding: chunked"]);
  const all = latin1(`${head}2${eol}ab${eol}${bad}0${eol}${eol}`);
  const right = asked.method === "HEAD" ? "own" : "cut";
  return answer("odd-chunks", {
    right,
    writes: random.chance(0.6) ? at0(all) : cutUp(random, all, 4),
    unsteady: asked.method === "HEAD",
  });
};

export const silent: Maker = () => answer("silent", { right: "any", writes: [], end: "silent" });

/** A 421 that names a successor which must not be believed: the client sees the 421 and nobody is moved. */
export const badSuccessor: (self: string) => Maker = (self) => (random, asked) => {
  const name = random.pick([`${self};2`, "no-such-cell;2", `${self};9999999999`, "x", ";", `${self};-1`]);
  const bytes = random.int(1, 50);
  const writes = at0(whole(asked, bytes, 421, [`x-proveniq-successor: ${name}`]));
  return answer("bad-successor", { status: 421, bytes: bytesSeen(asked, bytes), writes });
};

export const unsteady: readonly (readonly [number, Maker])[] = [
  [2, liesFin],
  [1, liesRst],
  [1, lateSurplus],
];

export const bad: readonly (readonly [number, Maker])[] = [
  [3, broken],
  [3, oddHead],
  [1.5, oddChunks],
];
