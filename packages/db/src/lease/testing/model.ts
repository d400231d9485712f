import { SharedBudget, type ShareStore } from "../shared-budget.ts";
import type { Renewed, ShareBook } from "../shares.ts";

/** Random numbers from a seed, from 0 to 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface ModelOptions {
  random: () => number;
  processes: number;
  /** Kills, freezes, set clocks, lost requests and answers, and slow ones. */
  faults: boolean;
  /** Bends what the database answers: for showing that a wrong algorithm is found. */
  mutant?: (renewed: Renewed) => Renewed;
}

interface Process {
  budget: SharedBudget;
  alive: boolean;
  active: boolean;
  frozenUntil: number;
  /** Its monotonic clock, and how fast both of its clocks run. */
  monotonic: number;
  pausesWhileFrozen: boolean;
  wall: number;
  rate: number;
}

interface Pending {
  at: number;
  /** Of which process: its answers wait while it is frozen. Undefined: the database works for nobody in particular. */
  process: Process | undefined;
  run: () => void;
}

const stepMs = 100;

/** Many processes that share one budget over one document, in virtual time. */
export class Model {
  readonly #options: ModelOptions;
  readonly processes: Process[] = [];
  time = 0;
  changes = 0;
  #book: ShareBook = {};
  #pending: Pending[] = [];
  #made = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
    for (let n = 0; n < options.processes; n += 1) this.start();
  }

  /** The most that was ever in use at once, 1 being the whole. */
  most = 0;

  start(): Process {
    const { random, faults } = this.#options;
    const process: Process = {
      budget: new SharedBudget({
        store: this.#storeFor(() => process),
        holder: `p${(this.#made += 1)}`,
        clocks: { monotonic: () => process.monotonic, wall: () => process.wall },
      }),
      alive: true,
      active: true,
      frozenUntil: 0,
      monotonic: random() * 1e6,
      pausesWhileFrozen: random() < 0.5,
      wall: random() * 1e9,
      rate: faults ? 0.98 + random() * 0.04 : 1,
    };
    this.processes.push(process);
    return process;
  }

  /** Let so much time pass. */
  async run(ms: number): Promise<void> {
    for (const end = this.time + ms; this.time < end; ) await this.#step();
  }

  shares(): number[] {
    return this.#running().map((p) => p.budget.share());
  }

  #running(): Process[] {
    return this.processes.filter((p) => p.alive && p.active && p.frozenUntil <= this.time);
  }

  async #step(): Promise<void> {
    this.time += stepMs;
    for (const p of this.processes) {
      p.wall += stepMs * p.rate;
      if (p.frozenUntil <= this.time || !p.pausesWhileFrozen) p.monotonic += stepMs * p.rate;
    }
    if (this.#options.faults) this.#misfortune();
    const due = this.#pending.filter(
      ({ at, process }) => at <= this.time && (process === undefined || process.frozenUntil <= this.time),
    );
    this.#pending = this.#pending.filter((each) => !due.includes(each));
    for (const { run } of due.toSorted((a, b) => a.at - b.at)) run();
    for (let n = 0; n < 12; n += 1) await Promise.resolve();
    this.most = Math.max(
      this.most,
      this.shares().reduce((sum, share) => sum + share, 0),
    );
  }

  #misfortune(): void {
    const { random, processes } = this.#options;
    const victim = this.processes[Math.floor(random() * this.processes.length)];
    if (victim === undefined || random() > 0.02) return;
    const dice = random();
    if (dice < 0.2) victim.alive = false;
    else if (dice < 0.5) victim.frozenUntil = this.time + random() * 60_000;
    else if (dice < 0.6) victim.wall += random() * 3_600_000;
    else if (dice < 0.7 && !victim.pausesWhileFrozen) victim.wall -= random() * 3_600_000;
    else if (dice < 0.85) victim.active = !victim.active;
    else if (this.processes.filter((p) => p.alive).length < processes) this.start();
    else void victim.budget.close().then(() => (victim.alive = false));
  }

  #storeFor(process: () => Process): ShareStore {
    const { random, faults, mutant } = this.#options;
    let unsettled: (() => void) | undefined;
    return {
      change: (change) => {
        // Locks keep the order: a request that was given up takes effect before the next one of its process, or never.
        unsettled?.();
        unsettled = undefined;
        this.changes += 1;
        return new Promise((resolve, reject) => {
          let done = false;
          const execute = () => {
            if (done) return undefined;
            done = true;
            const changed = change(this.#book, this.time);
            const bent = mutant === undefined || !("fair" in changed) ? changed : bend(changed, mutant);
            this.#book = bent.book;
            return bent;
          };
          const lost = faults && random() < 0.1;
          const there = this.time + (faults ? random() ** 3 * 8_000 : 20);
          const back = there + (faults ? random() ** 3 * 8_000 : 20);
          let answer: ReturnType<typeof execute>;
          if (!lost || random() < 0.5) {
            unsettled = () => void execute();
            this.#pending.push({ at: there, process: undefined, run: () => (answer = execute()) });
          }
          this.#pending.push({
            at: lost ? this.time + 8_000 : back,
            process: process(),
            run: () => (lost || answer === undefined ? reject(new Error("lost")) : resolve(answer)),
          });
        });
      },
    };
  }
}

function bend<T extends { book: ShareBook }>(changed: T, mutant: (renewed: Renewed) => Renewed): T {
  return { ...changed, ...mutant(changed as T & Renewed) };
}
