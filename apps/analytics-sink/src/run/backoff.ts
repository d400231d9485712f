/** Growing waits after failures, with a random part so that many sinks do not come back at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #random: () => number;
  failures = 0;

  constructor(firstMs = 500, mostMs = 60_000, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#random = random;
  }

  /** How long to wait after one more failure, in milliseconds. */
  failed(): number {
    const full = Math.min(this.#mostMs, this.#firstMs * 2 ** Math.min(this.failures, 20));
    this.failures++;
    return full * (0.5 + this.#random() / 2);
  }

  succeeded(): void {
    this.failures = 0;
  }
}
