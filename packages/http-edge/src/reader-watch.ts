import type { ClientConnection } from "./client-connection.ts";
import type { EdgeExchange } from "./exchange.ts";
import { transmitQueues } from "./transmit-queues.ts";

type Client = ClientConnection<EdgeExchange>;

interface Seen {
  /** Bytes handed to the kernel, and what the kernel still held of them. */
  handed: number;
  queued: number | undefined;
  /** Milliseconds without any change of either. */
  stalledMs: number;
}

/**
 * Ends clients that take nothing of the answer that waits for them. One that reads slowly is served as long as it reads: the
 * kernel may have room again only after a megabyte, so it is asked how much it still holds, once for all that seem to stand still.
 */
export class ReaderWatch {
  readonly #busy: () => Iterable<Client>;
  readonly #stalledMs: number;
  readonly #everyMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #seen = new WeakMap<Client, Seen>();
  #looking = false;

  constructor(busy: () => Iterable<Client>, stalledMs: number) {
    this.#busy = busy;
    this.#stalledMs = stalledMs;
    this.#everyMs = Math.max(10, stalledMs / 6);
    this.#timer = setInterval(() => void this.#look(), this.#everyMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    const still = this.#still();
    if (still.length === 0) return;
    this.#looking = true;
    const queues = await transmitQueues();
    this.#looking = false;
    for (const { client, seen } of still) {
      const queued = queues?.get(`${client.socket.localPort}:${client.socket.remotePort}`);
      if (queued !== undefined && queued !== seen.queued) seen.stalledMs = 0;
      seen.queued = queued;
      if (seen.stalledMs < this.#stalledMs) continue;
      this.#seen.delete(client);
      client.current()?.stopReading();
    }
  }

  /** Those for whom something waits, of which nothing has been handed on since the last look. */
  #still(): { client: Client; seen: Seen }[] {
    const still: { client: Client; seen: Seen }[] = [];
    for (const client of this.#busy()) {
      const { socket } = client;
      if (socket.writableLength === 0) {
        this.#seen.delete(client);
        continue;
      }
      const handed = socket.bytesWritten - socket.writableLength;
      const seen = this.#seen.get(client);
      if (seen === undefined || seen.handed !== handed)
        this.#seen.set(client, { handed, queued: undefined, stalledMs: 0 });
      else {
        seen.stalledMs += this.#everyMs;
        still.push({ client, seen });
      }
    }
    return still;
  }
}
