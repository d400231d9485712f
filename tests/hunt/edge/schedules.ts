import { Random } from "../random.ts";
import type { Asked } from "./answer-bytes.ts";
import { bigAnswer, makeAnswer, move } from "./answers.ts";
import { makeHostile, type Supply } from "./hostile.ts";
import { type Ask, type ClientPlan, endsConnection, type Schedule } from "./plan.ts";
import { type AskShape, makeAsk } from "./requests.ts";

/** Who is where in one lane: two cells, a tenant of each, and one that moves. */
export interface LaneNames {
  a: { cell: string; tenant: string };
  b: { cell: string; tenant: string };
  mover: string;
}

/** Schedule `index` of a seed. `mover`: what its cell would name as the successor, were it asked to move that tenant. */
export function makeSchedule(seed: number, index: number, names: LaneNames, successor: string): Schedule {
  const random = new Random(seed, index);
  let made = 0;
  const nextId = () => `hunt-${seed}-${index}-${(made += 1)}`;
  // What the cells do to their own tenants: in some schedules one of them does not keep its word about connections.
  const unsteady = random.chance(0.25);
  const nasty = random.chance(0.6);
  const side = () => (random.chance(0.8) ? names.a : names.b);

  const complete = (
    shape: AskShape,
    cell: string,
    how: "plain" | "good" | "any" | "slow" | "silent" | number,
  ): Ask => {
    const asked: Asked = { id: shape.id, method: shape.method, hasBody: shape.framing !== "none" };
    if (typeof how === "number") return { ...shape, answer: bigAnswer(asked, how) };
    const kind =
      how === "any"
        ? random.weighted([
            [6, "good"],
            [nasty ? 4 : 0, "bad"],
            [unsteady && cell === names.a.cell ? 3 : 0, "unsteady"],
            [0.3, "successor"],
          ] as const)
        : how;
    return { ...shape, answer: makeAnswer(random, asked, kind, cell) };
  };
  const supply: Supply = (how, shape) => {
    const { cell, tenant } = side();
    if (shape !== "body") return complete(makeAsk(random, nextId(), tenant, shape === "plain"), cell, how);
    let ask = makeAsk(random, nextId(), tenant);
    while (ask.framing === "none") ask = makeAsk(random, ask.id, tenant);
    return complete(ask, cell, how);
  };
  const good = (): ClientPlan => ({
    kind: "good",
    name: "good",
    startMs: random.int(0, 10),
    ...goodAsks(),
    pieces: random.weighted([
      [6, 1],
      [3, random.int(2, 6)],
    ]),
    gapMs: random.int(0, 8),
  });
  const goodAsks = () => {
    const asks = Array.from({ length: random.int(1, 6) }, () => supply(random.chance(0.7) ? "good" : "any"));
    const pipelined = random.chance(0.35);
    // Most who pipeline have no reason to expect that the connection ends in the middle.
    const steady = pipelined && random.chance(0.7);
    return {
      asks: steady ? asks.filter((ask, n) => n === asks.length - 1 || !endsConnection(ask)) : asks,
      pipelined,
    };
  };
  const clients: ClientPlan[] = Array.from({ length: random.int(2, 4) }, good);
  if (random.chance(0.05)) {
    const shape = makeAsk(random, nextId(), names.mover, true);
    const asks = [
      { ...shape, answer: move({ id: shape.id, method: shape.method, hasBody: false }, successor) },
    ];
    clients.push({ kind: "good", name: "moves", startMs: 0, asks, pipelined: false, pieces: 1, gapMs: 0 });
  }
  for (let n = random.int(1, 3); n > 0; n -= 1)
    clients.push({ kind: "hostile", startMs: random.int(0, 12), ...makeHostile(random, supply) });
  const probes = [names.a, names.b].map(({ cell, tenant }) =>
    complete(makeAsk(random, nextId(), tenant, true), cell, "plain"),
  );
  return { index, clients, probes };
}
