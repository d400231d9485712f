/**
 * Who holds how many connections to one origin. A tenant may hold at most half of those that no other tenant holds, so that
 * however much one asks for, the next one finds room; a few (`floor`) are anybody's, which matters where there are few.
 */
export class Shares {
  readonly #total: number;
  readonly #floor: number;
  readonly #held = new Map<string, number>();
  #all = 0;

  constructor(total: number, floor: number) {
    this.#total = total;
    this.#floor = floor;
  }

  /** Take one for that tenant; false when it has its share. */
  take(tenant: string): boolean {
    const own = this.#held.get(tenant) ?? 0;
    const others = this.#all - own;
    if (own >= this.#floor && own >= (this.#total - others) / 2) return false;
    this.#held.set(tenant, own + 1);
    this.#all += 1;
    return true;
  }

  /** Give one back. */
  give(tenant: string): void {
    const own = this.#held.get(tenant) ?? 0;
    if (own <= 1) this.#held.delete(tenant);
    else this.#held.set(tenant, own - 1);
    if (own > 0) this.#all -= 1;
  }
}
