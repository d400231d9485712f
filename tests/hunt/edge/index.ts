import { setTimeout as sleep } from "node:timers/promises";
import type { Hunt, HuntOrder, HuntResult, Violation } from "../hunt.ts";
import { Rig } from "./rig.ts";

const defaultLanes = 48;
/** Schedules of a lane between two looks at what the router holds. */
const perBatch = 25;
const patienceMs = 5_000;

export interface EdgeOptions {
  /** The repository whose router is hunted; this one unless given. */
  root?: string;
  lanes?: number;
  env?: Record<string, string>;
}

/** Hunt as `order` says. Lanes play at the same time; what killed the router is found by playing the suspects one by one. */
export async function huntEdge(
  order: HuntOrder,
  { root, lanes = defaultLanes, env }: EdgeOptions = {},
): Promise<HuntResult> {
  const count = order.count;
  const rig = await Rig.start(Math.min(lanes, Math.max(1, count)), root, env);
  try {
    return await new EdgeHunt(rig, order).run();
  } finally {
    await rig.stop();
  }
}

class EdgeHunt {
  readonly #rig: Rig;
  readonly #order: HuntOrder;
  readonly #violations: Violation[] = [];
  #played = 0;
  #deaths = 0;
  #descriptors = 0;
  #mibFirst = 0;
  #mibLast = 0;

  constructor(rig: Rig, order: HuntOrder) {
    this.#rig = rig;
    this.#order = order;
  }

  async run(): Promise<HuntResult> {
    const { first, count, deadline, enough, progress } = this.#order;
    const startedAt = performance.now();
    this.#descriptors = (await this.#rig.router.holds()).descriptors;
    const batch = this.#rig.lanes.length * perBatch;
    for (let from = first; from < first + count; from += batch) {
      const to = Math.min(first + count, from + batch);
      await this.#playBatch(from, to);
      if (this.#violations.length < enough) await this.#lookAtWhatIsHeld();
      const perSecond = Math.round((1_000 * this.#played) / (performance.now() - startedAt));
      progress(`${this.#played} schedules, ${perSecond} a second, ${this.#violations.length} violations`);
      if (this.#violations.length >= enough || performance.now() > deadline) break;
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    return {
      schedules: this.#played,
      violations: this.#violations,
      figures: {
        schedules_per_second: Math.round(this.#played / seconds),
        router_deaths: this.#deaths,
        rss_first_mib: Math.round(this.#mibFirst),
        rss_last_mib: Math.round(this.#mibLast),
      },
    };
  }

  async #playBatch(from: number, to: number): Promise<void> {
    const waiting = Array.from({ length: to - from }, (_, n) => from + n);
    while (waiting.length > 0 && !this.#over()) {
      const suspects: number[] = [];
      const { router, lanes } = this.#rig;
      await Promise.all(
        lanes.map(async (lane) => {
          while (router.dead === undefined && !this.#over()) {
            const index = waiting.shift();
            if (index === undefined) return;
            const wrong = await lane.play(router, this.#order.seed, index, patienceMs);
            // Its connections may have ended with it, and this is heard a moment before.
            if (wrong.length > 0) await sleep(200);
            if (router.dead === undefined) this.#note(index, wrong);
            else suspects.push(index);
          }
        }),
      );
      if (router.dead !== undefined) waiting.unshift(...(await this.#findOut(router.dead, suspects)));
    }
  }

  #over(): boolean {
    return this.#violations.length >= this.#order.enough || performance.now() > this.#order.deadline;
  }

  #note(index: number, wrong: readonly string[]): void {
    this.#played += 1;
    if (wrong.length === 0) return;
    const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : "";
    this.#violations.push({ schedule: index, what: `${wrong[0]}${more}` });
    this.#order.progress(`schedule ${index}: ${wrong.slice(0, 4).join("\n  ")}`);
  }

  /** The router has died: who did it? Gives those that have still to be played. */
  async #findOut(what: string, suspects: readonly number[]): Promise<number[]> {
    this.#deaths += 1;
    this.#order.progress(`${what}; ${suspects.length} schedules were under way`);
    await this.#rig.restart();
    for (let round = 0; round < 3; round += 1) {
      for (const [n, index] of suspects.entries()) {
        const { router, lanes } = this.#rig;
        await lanes[0]?.play(router, this.#order.seed, index, patienceMs);
        if (router.dead === undefined) continue;
        this.#note(index, [router.dead]);
        await this.#rig.restart();
        return suspects.filter((_, m) => m !== n);
      }
    }
    const all = suspects.join(", ");
    this.#violations.push({ schedule: undefined, what: `${what}; none of ${all} does it alone` });
    this.#played += suspects.length;
    return [];
  }

  /** Nothing is under way: descriptors must be what they were, and memory not much more than after the first batch. */
  async #lookAtWhatIsHeld(): Promise<void> {
    const { router } = this.#rig;
    const until = performance.now() + 8_000;
    let held = await router.holds();
    while (held.descriptors > this.#descriptors && performance.now() < until) {
      await sleep(20);
      held = await router.holds();
    }
    if (held.descriptors > this.#descriptors)
      this.#violations.push({
        schedule: undefined,
        what: `with nothing under way the router holds ${held.descriptors - this.#descriptors} sockets`,
      });
    for (const fault of router.faults.splice(0)) this.#violations.push({ schedule: undefined, what: fault });
    router.lines.clear();
    this.#mibLast = held.mib;
    if (this.#mibFirst === 0) this.#mibFirst = held.mib;
    if (held.mib > 2 * this.#mibFirst + 64)
      this.#violations.push({
        schedule: undefined,
        what: `memory grew from ${Math.round(this.#mibFirst)} to ${Math.round(held.mib)} MiB`,
      });
  }
}

export const hunt: Hunt = {
  description: "Random schedules of clients and cells that do not behave, against the built router",
  options: { lanes: { type: "string" }, root: { type: "string" } },
  help: {
    lanes: `schedules at the same time (${defaultLanes})`,
    root: "the repository whose router is hunted (this one)",
  },
  run: (order) => {
    const { lanes, root } = order.options;
    return huntEdge(order, {
      ...(typeof lanes === "string" ? { lanes: Number(lanes) } : {}),
      ...(typeof root === "string" ? { root } : {}),
    });
  },
};
