import type { Ask } from "./plan.ts";

/** A request that arrived at a cell. */
export interface Sighting {
  cell: string;
  connection: number;
}

/** What is known while a schedule is played: who may ask, and what arrived where. */
export class Board {
  readonly asks = new Map<string, Ask>();
  readonly seen = new Map<string, Sighting[]>();
  /** Rules that did not hold. */
  readonly faults: string[] = [];
  readonly #watchers = new Set<() => void>();
  #over = false;

  add(asks: readonly Ask[]): void {
    for (const ask of asks) this.asks.set(ask.id, ask);
  }

  arrived(id: string, sighting: Sighting): void {
    const all = this.seen.get(id);
    if (all === undefined) this.seen.set(id, [sighting]);
    else all.push(sighting);
    for (const watcher of this.#watchers) watcher();
  }

  fault(what: string): void {
    this.faults.push(what);
  }

  /** Another request has come on a connection that carried this one. */
  reused(id: string): boolean {
    const own = this.seen.get(id)?.at(-1);
    if (own === undefined) return false;
    for (const [other, all] of this.seen) {
      if (other !== id && all.some((s) => s.connection === own.connection && s.cell === own.cell)) {
        const ids = [...this.seen.keys()];
        if (ids.indexOf(other) > ids.indexOf(id)) return true;
      }
    }
    return false;
  }

  /** `watcher` is called with each arrival; what is given ends that. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  get over(): boolean {
    return this.#over;
  }

  /** Everybody who holds may go. */
  end(): void {
    this.#over = true;
    for (const watcher of this.#watchers) watcher();
  }
}
