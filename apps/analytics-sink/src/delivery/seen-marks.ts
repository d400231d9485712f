/**
 * Which marks were sent already, in bounded memory: a Bloom filter a day, for the last few days. Whatever it takes wrongly
 * for sent is not counted, so the count of a group's people can only be too low. It is forgotten with the process: then a
 * mark may be sent once more, and counts once all the same.
 */
export class SeenMarks {
  readonly #bits: number;
  readonly #days = new Map<string, Uint8Array>();
  readonly #keptDays: number;

  /** 2 MiB a day hold a million marks with fewer than one in a thousand taken wrongly. */
  constructor(bytes = 2 * 1024 * 1024, keptDays = 3) {
    this.#bits = bytes * 8;
    this.#keptDays = keptDays;
  }

  has(day: string, mark: string): boolean {
    const filter = this.#days.get(day);
    return (
      filter !== undefined &&
      this.#places(mark).every((at) => ((filter[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0)
    );
  }

  add(day: string, mark: string): void {
    let filter = this.#days.get(day);
    if (filter === undefined) {
      filter = new Uint8Array(this.#bits / 8);
      this.#days.set(day, filter);
      const [oldest] = [...this.#days.keys()].sort();
      if (this.#days.size > this.#keptDays && oldest !== undefined) this.#days.delete(oldest);
    }
    for (const at of this.#places(mark)) filter[at >>> 3] = (filter[at >>> 3] ?? 0) | (1 << (at & 7));
  }

  /** A mark is random already: its own bits say where. */
  #places(mark: string): number[] {
    const bytes = Buffer.from(mark, "base64url");
    // An odd step, so that the places differ; unsigned, as `|` would make it signed.
    const [first, step] = [bytes.readUInt32LE(0), (bytes.readUInt32LE(4) | 1) >>> 0];
    return Array.from({ length: 9 }, (_, n) => (first + n * step) % this.#bits);
  }
}
