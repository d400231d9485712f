/** How many chunks an instance works on at once, over all tenants. */
const mostChunks = 8;
/** Of them, one tenant's while others have work under way too; one that is alone may have them all. */
const mostOfOne = 4;
/** More, for tenants of which nothing is under way: a busy instance still lets them begin. */
const moreForNewcomers = 4;

/** Requests that work on imports which one instance serves at once. */
const mostSlots = mostChunks + moreForNewcomers;

/** Work under way in this process: bounded in number and shared among tenants, each thing at most once at a time. */
export class Slots {
  readonly #taken = new Map<string, string>();

  /** Run `work` unless it is under way already (`"running"`) or too much else is (`"full"`). */
  async run<T>(
    tenantId: string,
    key: string,
    work: () => Promise<T>,
  ): Promise<{ done: T } | "running" | "full"> {
    const name = `${tenantId}/${key}`;
    if (this.#taken.has(name)) return "running";
    if (!this.#hasRoom(tenantId)) return "full";
    this.#taken.set(name, tenantId);
    try {
      return { done: await work() };
    } finally {
      this.#taken.delete(name);
    }
  }

  #hasRoom(tenantId: string): boolean {
    let own = 0;
    for (const owner of this.#taken.values()) if (owner === tenantId) own++;
    const alone = own === this.#taken.size;
    return this.#taken.size < (own === 0 ? mostSlots : mostChunks) && (alone || own < mostOfOne);
  }
}
