import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@proveniq/contracts";
import { type BillingProxy, type ProductionOptions, startBillingProxy } from "../billing/index.ts";
import { type Emulator, startEmulator } from "../emulator/index.ts";
import { type Relay, startRelay } from "../relay/index.ts";

export interface LocalDatabaseOptions {
  /** `central`, or the cell's id. */
  name: string;
  project: string;
  ports: { emulator: number; relay: number };
  logFile: string;
  heapMb?: number;
  env?: Readonly<Record<string, string>>;
  /** Behave as Firestore does in production, between relay and emulator. */
  production?: ProductionOptions;
  note(text: string): void;
  /** Called after an emulator that died has come back empty, before clients reach it: goes to the emulator itself. */
  refill(): Promise<void>;
}

const maxBackoffMs = 10_000;
const refillPauseMs = 1_000;
const heatEveryMs = 5_000;

/**
 * One Firestore emulator with its relay. Dies, comes back empty and is filled again; never shared between cells. Clients are kept
 * away until it is: an empty database would tell them, as the truth, that nobody lives here.
 */
export class LocalDatabase {
  readonly #options: LocalDatabaseOptions;
  readonly relay: Relay;
  readonly #proxy: BillingProxy | undefined;
  readonly #heat: NodeJS.Timeout | undefined;
  #emulator: Emulator;
  #stopping = new AbortController();

  private constructor(options: LocalDatabaseOptions, emulator: Emulator, relay: Relay, proxy?: BillingProxy) {
    this.#options = options;
    this.#emulator = emulator;
    this.relay = relay;
    this.#proxy = proxy;
    if (proxy !== undefined)
      this.#heat = setInterval(
        noteHeat(proxy, (text) => options.note(text)),
        heatEveryMs,
      );
    void this.#watch();
  }

  /** Start both and wait until the emulator answers. */
  static async start(options: LocalDatabaseOptions): Promise<LocalDatabase> {
    const emulator = await launch(options);
    const { production } = options;
    const proxy =
      production === undefined ? undefined : await startBillingProxy(emulator.host, { production });
    const relay = await startRelay({ port: options.ports.relay, target: proxy?.host ?? emulator.host });
    return new LocalDatabase(options, emulator, relay, proxy);
  }

  get pid(): number {
    return this.#emulator.pid;
  }

  /** Where the emulator itself listens; clients go through the relay. */
  get host(): string {
    return this.#emulator.host;
  }

  kill(): void {
    this.#emulator.kill();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#heat);
    await Promise.all([this.relay.close(), this.#proxy?.close(), this.#emulator.stop()]);
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    let backoff = 250;
    for (;;) {
      const exit = await this.#emulator.exited;
      if (signal.aborted) return;
      await this.relay.hold();
      const how = exit.signal ?? `exit code ${exit.code}`;
      this.#options.note(
        `the emulator ended (${how}), and the data in its memory with it. Starting it again`,
      );
      try {
        this.#emulator = await launch(this.#options);
        if (await this.#refill(this.#emulator)) await this.relay.release();
        backoff = 250;
      } catch (error) {
        if (this.#stopped()) return;
        this.#options.note(messageOf(error));
        await sleep(backoff, undefined, { signal }).catch(() => undefined);
        backoff = Math.min(backoff * 2, maxBackoffMs);
      }
      if (this.#stopped()) {
        await this.#emulator.stop();
        return;
      }
    }
  }

  /** Until it is done, and then true. Ends too when the emulator does, or is to. */
  async #refill(emulator: Emulator): Promise<boolean> {
    const ended = new AbortController();
    void emulator.exited.then(() => ended.abort());
    const signal = AbortSignal.any([this.#stopping.signal, ended.signal]);
    while (!signal.aborted) {
      try {
        await this.#options.refill();
        return !signal.aborted;
      } catch (error) {
        if (this.#stopped()) return false;
        this.#options.note(`not filled again yet: ${messageOf(error)}`);
        await sleep(refillPauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  }

  /** Read anew each time: it changes while we wait. */
  #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }
}

/** Says each range that runs hot once. */
function noteHeat(proxy: BillingProxy, note: (text: string) => void): () => void {
  const told = new Set<string>();
  return () => {
    for (const { space, prefix, writesPerSecond } of proxy.hot()) {
      const where = `${space} ${JSON.stringify(prefix)}`;
      if (told.has(where)) continue;
      told.add(where);
      note(`runs hot: ${writesPerSecond} writes/s at the growing end of ${where}; Firestore bears about 500`);
    }
  };
}

async function launch(options: LocalDatabaseOptions): Promise<Emulator> {
  return startEmulator({
    port: options.ports.emulator,
    projectId: options.project,
    logFile: options.logFile,
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.heapMb === undefined ? {} : { heapMb: options.heapMb }),
  });
}
