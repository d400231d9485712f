/** How many chunks an instance works on at once, over all tenants. */
const mostChunks = 8;

/** Work under way in this process: bounded in number, each thing at most once at a time. */
export class Slots {
  readonly #taken = new Set<string>();

  /** Run `work` unless it is under way already (`"running"`) or too much else is (`"full"`). */
  async run<T>(key: string, work: () => Promise<T>): Promise<{ done: T } | "running" | "full"> {
    if (this.#taken.has(key)) return "running";
    if (this.#taken.size >= mostChunks) return "full";
    this.#taken.add(key);
    try {
      return { done: await work() };
    } finally {
      this.#taken.delete(key);
    }
  }
}
