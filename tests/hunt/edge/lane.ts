import { setTimeout as sleep } from "node:timers/promises";
import { Board } from "./board.ts";
import { ScriptedCell } from "./cell.ts";
import { type Door, playGood, playHostile, type Told } from "./clients.ts";
import { askedTwice, judge, judgeHostile, judgeLog } from "./judge.ts";
import type { Schedule } from "./plan.ts";
import type { Answer } from "./reader.ts";
import type { RouterProcess } from "./router.ts";
import { type LaneNames, makeSchedule } from "./schedules.ts";

/** How long the router may take to let go of what nobody needs any more, in milliseconds. */
const settleMs = 5_000;

/** Two cells and their tenants, for one schedule at a time: what lanes do at the same time is nothing to one another. */
export class Lane {
  readonly names: LaneNames;
  readonly #number: number;
  readonly #cells: [ScriptedCell, ScriptedCell];
  /** Where the tenant that moves is now, as the router should know. */
  #moves = 0;

  constructor(number: number) {
    this.#number = number;
    // As long for each lane, so that a schedule is the same bytes in all of them.
    const name = `lane${String(number).padStart(3, "0")}`;
    const a = `${name}a`;
    const b = `${name}b`;
    this.#cells = [new ScriptedCell(a), new ScriptedCell(b)];
    this.names = {
      a: { cell: a, tenant: `tenant-${a}` },
      b: { cell: b, tenant: `tenant-${b}` },
      mover: `mover-${name}`,
    };
  }

  /** Gives the ports of both cells. */
  listen(): Promise<[number, number]> {
    return Promise.all([this.#cells[0].listen(), this.#cells[1].listen()]);
  }

  close(): void {
    for (const cell of this.#cells) cell.close();
  }

  /** The router is a new one and knows nothing of moves. */
  forget(): void {
    this.#moves = 0;
  }

  /** Play a schedule of a seed; gives the rules that did not hold. */
  async play(router: RouterProcess, seed: number, index: number, patienceMs: number): Promise<string[]> {
    const successor = `${this.#cells[(this.#moves + 1) % 2]?.id};${this.#moves + 2}`;
    const schedule = makeSchedule(seed, index, this.names, successor);
    const board = new Board();
    for (const { asks } of schedule.clients) board.add(asks);
    board.add(schedule.probes);
    for (const cell of this.#cells) cell.board = board;
    const door: Door = { port: router.port, localAddress: `127.0.${1 + this.#number}.1`, patienceMs };
    const { told, others, wrong } = await playClients(door, schedule, board);
    if (router.dead === undefined) {
      wrong.push(...(await this.#settled(router)));
      told.push(...(await this.#probe(door, schedule, board)));
    }
    // The tenant that moves is in one of the two cells.
    const unsteady = new Set([...board.asks.values()].filter((a) => a.answer.unsteady).map((a) => a.tenant));
    for (const one of told) {
      const breaks = one.ask.tenant === this.names.mover ? unsteady.size > 0 : unsteady.has(one.ask.tenant);
      const what = judge(one, breaks);
      if (what !== undefined) wrong.push(what);
    }
    for (const cell of this.#cells) cell.reset();
    if (router.dead === undefined) wrong.push(...(await logged(router, board, told, others)));
    wrong.push(...board.faults, ...askedTwice(board));
    if ([...board.seen.keys()].some((id) => board.asks.get(id)?.answer.name === "move")) this.#moves += 1;
    for (const id of board.asks.keys()) router.lines.delete(id);
    return wrong;
  }

  /** The clients are gone: whatever cells are still busy with, the router must let go of. */
  async #settled(router: RouterProcess): Promise<string[]> {
    const until = performance.now() + settleMs;
    for (;;) {
      const busy = this.#cells.flatMap((cell) => cell.busy());
      if (busy.length === 0 || router.dead !== undefined) return [];
      if (performance.now() > until)
        return busy.map((b) => `the router holds a connection whose client is gone: ${b}`);
      await sleep(4);
    }
  }

  async #probe(door: Door, { probes }: Schedule, board: Board): Promise<Told[]> {
    const told = await Promise.all(
      probes.map((ask) =>
        playGood(
          door,
          { kind: "good", name: "probe", startMs: 0, asks: [ask], pipelined: false, pieces: 1, gapMs: 0 },
          board,
        ),
      ),
    );
    return told.flat();
  }
}

async function playClients(door: Door, { clients }: Schedule, board: Board) {
  const others: Answer[] = [];
  const wrong: string[] = [];
  const hostile = clients.flatMap((plan) => (plan.kind === "hostile" ? [plan] : []));
  const good = clients.flatMap((plan) => (plan.kind === "good" ? [plan] : []));
  const playing = Promise.all(
    hostile.map(async (plan) => {
      const { answers, fault, whole } = await playHostile(door, plan, board);
      others.push(...answers);
      wrong.push(...judgeHostile(plan.asks, whole, answers, fault).map((w) => `${w} (${plan.name})`));
    }),
  );
  const told = (await Promise.all(good.map((plan) => playGood(door, plan, board)))).flat();
  board.end();
  await playing;
  return { told, others, wrong };
}

/** Lines are written in batches: wait for them for as long as something is missing. */
async function logged(
  router: RouterProcess,
  board: Board,
  told: readonly Told[],
  others: readonly Answer[],
): Promise<string[]> {
  const until = performance.now() + settleMs;
  for (;;) {
    const wrong = judgeLog(router.lines, board, told, others);
    if (wrong.length === 0 || performance.now() > until || router.dead !== undefined) return wrong;
    await sleep(8);
  }
}
