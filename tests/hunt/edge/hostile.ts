import type { Random } from "../random.ts";
import type { Ask, Step } from "./plan.ts";
import { bytesOf } from "./requests.ts";

/** Requests for a hostile client to use: `kind` of the cell's answer as in `makeAnswer`, or so many bytes. */
export type Supply = (
  how: "plain" | "good" | "any" | "slow" | "silent" | number,
  shape?: "plain" | "body",
) => Ask;

type Maker = (random: Random, ask: Supply) => { asks: Ask[]; steps: Step[] };

const write = (bytes: Buffer | string): Step => ({
  do: "write",
  bytes: typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes,
});
const wait = (ms: number): Step => ({ do: "wait", ms });
const rst: Step = { do: "rst" };
const fin: Step = { do: "fin" };
const hold: Step = { do: "hold" };

const joined = (asks: readonly Ask[]) => Buffer.concat(asks.map(bytesOf));
const several = (random: Random, most: number, one: () => Ask) =>
  Array.from({ length: random.int(1, most) }, one);
const ending = (random: Random): Step[] =>
  random.pick([[rst], [fin, hold], [fin, wait(random.int(0, 20)), rst], [hold]]);

/** Bytes in some pieces, which arrive one after the other. */
function pieces(random: Random, bytes: Buffer, most = 4): Step[] {
  const cuts = Array.from({ length: random.int(0, most) }, () => random.int(0, bytes.length)).sort(
    (a, b) => a - b,
  );
  const steps: Step[] = [];
  let from = 0;
  for (const end of [...cuts, bytes.length]) {
    if (end > from) steps.push(write(bytes.subarray(from, end)), wait(random.int(0, 3)));
    from = end;
  }
  return steps;
}

/** Goes at any byte of some pipelined requests. */
const leavesAnywhere: Maker = (random, ask) => {
  const asks = several(random, 4, () => ask("any"));
  const bytes = joined(asks);
  const end = random.pick([[rst], [rst], [fin, hold], [fin, wait(5), rst]]);
  return { asks, steps: [...pieces(random, bytes.subarray(0, random.int(0, bytes.length))), ...end] };
};

/** Goes as soon as some of its answers are here. */
const leavesAfterAnswers: Maker = (random, ask) => {
  const asks = several(random, 4, () => ask("any"));
  const steps: Step[] = [
    ...pieces(random, joined(asks)),
    { do: "answers", count: random.int(1, asks.length) },
  ];
  return { asks, steps: [...steps, wait(random.int(0, 5)), rst] };
};

/** Its later answers are complete and wait for the first, which is slow, when it goes. */
const leavesWhileQueued: Maker = (random, ask) => {
  const asks = [ask("slow", "plain"), ...several(random, 4, () => ask("plain", "plain"))];
  const last = asks.at(-1)?.id ?? "";
  const steps: Step[] = [
    write(joined(asks)),
    random.chance(0.6) ? { do: "until-reused", id: last, sip: 0 } : wait(random.int(2, 40)),
  ];
  return { asks, steps: [...steps, rst] };
};

/** Reads a large answer in sips, and goes once the connection to the cell serves somebody else. */
const sipsAndLeaves: Maker = (random, ask) => {
  const first = ask(random.int(400_000, 4_500_000), "plain");
  const steps: Step[] = [{ do: "pause" }, write(bytesOf(first)), { do: "until-arrived", id: first.id }];
  return {
    asks: [first],
    steps: [...steps, { do: "until-reused", id: first.id, sip: random.int(20_000, 200_000) }, rst],
  };
};

const neverReads: Maker = (random, ask) => {
  const asks = several(random, 3, () => ask(random.int(10_000, 900_000), "plain"));
  return {
    asks,
    steps: [{ do: "pause" }, write(joined(asks)), random.chance(0.5) ? hold : wait(random.int(5, 80)), rst],
  };
};

const switches: Maker = (random, ask) => {
  const before = random.chance(0.5)
    ? several(random, 2, () => ask(random.pick(["slow", "plain"] as const), "plain"))
    : [];
  const request = random.pick([
    "GET /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "GET /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    "POST /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc",
    "CONNECT x:1 HTTP/1.1\r\n\r\n",
    "CONNECT api.proveniq.io:443 HTTP/1.1\r\nHost: api.proveniq.io:443\r\n\r\n",
  ]);
  const after = random.chance(0.4)
    ? [wait(random.int(0, 4)), write(Buffer.alloc(random.int(1, 5_000), "z"))]
    : [];
  const first = Buffer.concat([joined(before), Buffer.from(request)]);
  const together = random.chance(0.6) ? [write(first)] : pieces(random, first);
  return { asks: before, steps: [...together, ...after, wait(random.int(0, 6)), ...ending(random)] };
};

const clientHello = Buffer.from("16030100c8010000c40303", "hex");

/** Heads that are none, alone or after requests that are some. */
const oddHeads: Maker = (random, ask) => {
  const before = random.chance(0.6)
    ? several(random, 2, () => ask(random.pick(["slow", "plain"] as const), "plain"))
    : [];
  const start = "POST /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\n";
  const odd = random.pick([
    clientHello,
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Buffer.from("\r\n\r\n\r\n"),
    Buffer.alloc(random.int(1, 300), random.int(0, 255)),
    Buffer.from("GET\r\n\r\n"),
    Buffer.from("GET /v1/items HTTP/1.1\r\n\r\n"),
    Buffer.from("GET /v1/items HTTP/1.1\r\nHost: a\x9bb\r\n\r\n", "latin1"),
    Buffer.from("GET /v1/items HTTP/1.1\r\nHost: a\x01b\r\n\r\n", "latin1"),
    Buffer.from(`GET /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\nX: ${"x".repeat(20_000)}\r\n\r\n`),
    Buffer.from(`${start}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    Buffer.from(`${start}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
    Buffer.from(`${start}Content-Length: 1 2\r\n\r\nab`),
    Buffer.from(
      `${start}Transfer-Encoding: chunked\r\n\r\n${random.pick([" 2", "2_0", "0x2", "+2", "zz"])}\r\nab\r\n0\r\n\r\n`,
    ),
    Buffer.from(`${start}Transfer-Encoding: chunked\r\n\r\n2;${"x".repeat(20_000)}\r\nab\r\n0\r\n\r\n`),
    Buffer.from(`${start}Expect: wonders\r\nContent-Length: 2\r\n\r\nab`),
    Buffer.from("TRACE / HTTP/1.1\r\nHost: api.proveniq.io\r\n\r\n"),
    Buffer.from("GET /health HTTP/1.1\r\nHost: x\r\n\r\n"),
    Buffer.from(
      "OPTIONS /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n\r\n",
    ),
    Buffer.from("GET /v1/items HTTP/1.1\r\nHost: nobody.example\r\n\r\n"),
    Buffer.from("GET /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\nX-Tenant-ID: UP\xa0\r\n\r\n", "latin1"),
    Buffer.from("GET /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\nX-Tenant-ID: no-such-tenant\r\n\r\n"),
  ]);
  const bytes = Buffer.concat([joined(before), odd]);
  const steps = random.chance(0.5) ? [write(bytes)] : pieces(random, bytes);
  return { asks: before, steps: [...steps, wait(random.int(0, 10)), ...ending(random)] };
};

/** A body that stops in the middle: the client goes, or says no more. */
const stopsInBody: Maker = (random, ask) => {
  const before = random.chance(0.3) ? [ask("plain", "plain")] : [];
  const last = ask(random.pick(["any", "good"] as const), "body");
  const bytes = bytesOf(last);
  const body = Math.max(1, bytes.indexOf("\r\n\r\n") + 4);
  const cut = random.int(body, bytes.length);
  const steps = [
    ...pieces(random, Buffer.concat([joined(before), bytes.subarray(0, cut)])),
    wait(random.int(0, 15)),
  ];
  return { asks: [...before, last], steps: [...steps, ...ending(random)] };
};

const halfCloses: Maker = (random, ask) => {
  const asks = several(random, 3, () => ask("any"));
  return {
    asks,
    steps: [
      ...pieces(random, joined(asks)),
      fin,
      random.chance(0.5) ? { do: "answers", count: asks.length } : wait(5),
      random.pick([rst, hold]),
    ],
  };
};

const slowHead: Maker = (random, ask) => {
  const bytes = bytesOf(ask("plain", "plain"));
  const part = bytes.subarray(0, random.int(1, bytes.length - 2));
  return {
    asks: [],
    steps: [
      write(part.subarray(0, part.length >> 1)),
      wait(random.int(0, 5)),
      write(part.subarray(part.length >> 1)),
      random.pick([hold, wait(20)]),
      rst,
    ],
  };
};

const flood: Maker = (random, ask) => {
  const asks = Array.from({ length: random.int(10, 60) }, () =>
    ask(random.pick(["plain", "plain", "good"] as const), "plain"),
  );
  return {
    asks,
    steps: [
      write(joined(asks)),
      random.chance(0.5) ? wait(random.int(0, 30)) : { do: "answers", count: random.int(1, asks.length) },
      rst,
    ],
  };
};

/** The cell says nothing; the client has enough of it. */
const tiresOfSilence: Maker = (random, ask) => {
  const asks = [ask("silent"), ...(random.chance(0.4) ? [ask("plain", "plain")] : [])];
  return {
    asks,
    steps: [
      ...pieces(random, joined(asks)),
      wait(random.int(0, 40)),
      ...random.pick([[rst], [fin, hold], [hold]]),
    ],
  };
};

const makers: readonly (readonly [number, string, Maker])[] = [
  [4, "leaves-anywhere", leavesAnywhere],
  [2, "leaves-after-answers", leavesAfterAnswers],
  [2, "leaves-while-queued", leavesWhileQueued],
  [0.5, "sips-and-leaves", sipsAndLeaves],
  [0.5, "never-reads", neverReads],
  [2, "switches", switches],
  [3, "odd-heads", oddHeads],
  [3, "stops-in-body", stopsInBody],
  [1.5, "half-closes", halfCloses],
  [1, "slow-head", slowHead],
  [0.4, "flood", flood],
  [1.5, "tires-of-silence", tiresOfSilence],
];

/** A client that does not behave, one of the many kinds. */
export function makeHostile(random: Random, ask: Supply): { name: string; asks: Ask[]; steps: Step[] } {
  const [name, make] = random.weighted(makers.map(([weight, name, make]) => [weight, [name, make] as const]));
  return { name, ...make(random, ask) };
}
