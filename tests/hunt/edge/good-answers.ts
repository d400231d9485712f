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

export const plain: Maker = (random, asked) => {
  const bytes = small(random);
  const status = random.weighted([
    [6, 200],
    [1, 201],
    [1, 404],
    [1, 429],
    [1, 503],
  ]);
  return answer("plain", {
    status,
    bytes: bytesSeen(asked, bytes),
    writes: at0(whole(asked, bytes, status)),
  });
};

const split: Maker = (random, asked) => {
  const bytes = small(random);
  return answer("split", { bytes: bytesSeen(asked, bytes), writes: cutUp(random, whole(asked, bytes), 6) });
};

const drip: Maker = (random, asked) => {
  const bytes = random.int(1, 24);
  const all = whole(asked, bytes);
  const from = all.length - bytesSeen(asked, bytes);
  const drops = Array.from({ length: all.length - from }, (_, n) => ({
    afterMs: 1,
    bytes: all.subarray(from + n, from + n + 1),
  }));
  return answer("drip", {
    bytes: bytesSeen(asked, bytes),
    writes: [{ afterMs: 0, bytes: all.subarray(0, from) }, ...drops],
  });
};

export const slow: Maker = (random, asked) => {
  const bytes = small(random);
  return answer("slow", {
    bytes: bytesSeen(asked, bytes),
    writes: [{ afterMs: random.int(5, 60), bytes: whole(asked, bytes) }],
  });
};

const early: Maker = (random, asked) => ({ ...plain(random, asked), name: "early", from: "head" });

/** Answers at once and lets the rest of the body lie: the connection ends with the answer. */
const earlyClose: Maker = (random, asked) => {
  const bytes = small(random);
  const writes = at0(whole(asked, bytes, 413, ["connection: close"]));
  const right = asked.hasBody ? "any" : "own";
  return answer("early-close", {
    right,
    status: 413,
    bytes: bytesSeen(asked, bytes),
    from: "head",
    writes,
    end: "fin",
  });
};

const chunked: Maker = (random, asked) => {
  const bytes = asked.method === "HEAD" ? 0 : small(random);
  const head = latin1(headOf(asked.id, 200, ["transfer-encoding: chunked"]));
  const body = asked.method === "HEAD" ? [] : chunksOf(random, bodyOf(asked.id, bytes));
  const all = Buffer.concat([head, ...body]);
  return answer("chunked", { bytes, writes: random.chance(0.5) ? at0(all) : cutUp(random, all, 5) });
};

const untilClose: Maker = (random, asked) => {
  const bytes = asked.method === "HEAD" ? 0 : small(random);
  const version = random.pick(["1.0", "1.1"]);
  const head = headOf(
    asked.id,
    200,
    asked.method === "HEAD" || random.chance(0.5) ? ["connection: close"] : [],
  ).replace("1.1", version);
  const writes = cutUp(random, Buffer.concat([latin1(head), bodyOf(asked.id, bytes)]), 3);
  return answer("until-close", { bytes, writes, end: "fin" });
};

const bodiless: Maker = (random, { id }) => {
  const status = random.pick([204, 304]);
  return answer("bodiless", { status, writes: at0(latin1(headOf(id, status, []))) });
};

const interim: Maker = (random, asked) => {
  const bytes = small(random);
  const all = Buffer.concat([latin1(interimOf(random, random.int(1, 8))), whole(asked, bytes)]);
  return answer("interim", {
    bytes: bytesSeen(asked, bytes),
    from: random.pick(["head", "body"]),
    writes: random.chance(0.5) ? at0(all) : cutUp(random, all, 6),
  });
};

const large: Maker = (random, asked) => {
  const bytes = random.int(60_000, 200_000);
  return answer("large", { bytes: bytesSeen(asked, bytes), writes: at0(whole(asked, bytes)) });
};

/** More than was announced, in one piece with it: it must never become somebody's answer. */
const surplus: Maker = (random, asked) => {
  const bytes = small(random);
  const more = random.pick([
    latin1(headOf("somebody-else", 200, ["content-length: 6"])),
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]),
    latin1(eol),
    latin1("x"),
  ]);
  return answer("surplus", { bytes: bytesSeen(asked, bytes), writes: at0(whole(asked, bytes), more) });
};

const bodyWhereNone: Maker = (random, asked) => {
  const status = random.pick([204, 304]);
  const framing = random.pick([["content-length: 9"], ["transfer-encoding: chunked"], []]);
  const body = framing[0]?.startsWith("transfer") === true ? `3${eol}abc${eol}0${eol}${eol}` : "nine byte";
  const writes = at0(latin1(headOf(asked.id, status, framing) + body));
  return answer("body-where-none", { status, writes });
};

export const good: readonly (readonly [number, Maker])[] = [
  [10, plain],
  [4, split],
  [1, drip],
  [4, slow],
  [2, early],
  [1, earlyClose],
  [3, chunked],
  [1, untilClose],
  [1, bodiless],
  [1, interim],
  [0.3, large],
  [2, surplus],
  [1, bodyWhereNone],
];
