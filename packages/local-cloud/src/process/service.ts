import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@proveniq/contracts";
import { type GuardedChild, spawnGuarded } from "./guarded.ts";
import { LogFile } from "./log-file.ts";

/** Something worth telling about a service, or a line that it printed itself. */
export interface ServiceEvents {
  /** A line of the service's own output. */
  line(text: string): void;
  /** What the fleet did about it: it died, it was started again. */
  note(text: string): void;
}

export interface ServiceOptions {
  command: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** Resolves when the service serves, rejects when `signal` aborts. */
  ready(signal: AbortSignal): Promise<void>;
}

const firstBackoffMs = 250;
/** How much of its output an error about a service repeats; the log file has all. */
const keptLines = 20;
const keptOfLine = 1_000;
const maxBackoffMs = 10_000;
/** A service that ran for this long was healthy: its next death starts the back-off anew. */
const steadyMs = 30_000;

/** A process that is started again, more and more slowly, whenever it ends without being told to. */
export class Service {
  readonly name: string;
  readonly #events: ServiceEvents;
  #options: ServiceOptions;
  #child: GuardedChild | undefined;
  #log: LogFile | undefined;
  #stopping = new AbortController();
  #watching: Promise<void> | undefined;
  #lastLines: string[] = [];
  #deaths: { count: number; last: string; at: string } | undefined;

  constructor(name: string, options: ServiceOptions, events: ServiceEvents) {
    this.name = name;
    this.#options = options;
    this.#events = events;
  }

  /** The process that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it has ended by itself since it was started, and how it did last; undefined for never. */
  get deaths(): { count: number; last: string; at: string } | undefined {
    return this.#deaths;
  }

  /** Since when its log cannot be written, and why. */
  get logFailure(): { since: string; reason: string } | undefined {
    return this.#log?.failure;
  }

  /** Start and wait until ready. Rejects when the process ends first: then it would not start the next time either. */
  async start(withinMs = 30_000): Promise<void> {
    this.#stopping = new AbortController();
    this.#deaths = undefined;
    this.#log = new LogFile(this.#options.logFile, { note: (text) => this.#events.note(text) });
    const child = this.#spawn();
    const tooLate = AbortSignal.timeout(withinMs);
    const givenUp = new AbortController();
    const ended = child.exited.then(({ code, signal }) => {
      throw new Error(
        `${this.name} ended (${signal ?? `exit code ${code}`}) before it was ready:\n${this.#lastLines.join("\n")}`,
      );
    });
    try {
      await Promise.race([this.#options.ready(AbortSignal.any([tooLate, givenUp.signal])), ended]);
    } catch (error) {
      await this.stop(0);
      if (!tooLate.aborted) throw error;
      throw new Error(
        `${this.name} was not ready within ${withinMs / 1000} s; see ${this.#options.logFile}`,
        {
          cause: error,
        },
      );
    } finally {
      givenUp.abort();
      ended.catch(() => undefined);
    }
    this.#watching = this.#watch(child);
  }

  /** Stop for good: SIGTERM, and SIGKILL after `graceMs`. */
  async stop(graceMs = 5_000): Promise<void> {
    this.#stopping.abort();
    await this.#child?.stop(graceMs);
    await this.#watching;
    await this.#log?.end();
  }

  /** Stop and start, from other options when given. */
  async restart(options: Partial<ServiceOptions> = {}): Promise<void> {
    await this.stop();
    this.#options = { ...this.#options, ...options };
    await this.start();
  }

  /** SIGKILL, as a crash would look: it is started again by itself. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  /** SIGSTOP: it neither runs nor ends until `thaw`. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  #spawn(): GuardedChild {
    const { command, args, cwd, env } = this.#options;
    const child = spawnGuarded(command, args, { cwd, env });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (text) => {
        this.#log?.write(`${text}\n`);
        this.#lastLines = [...this.#lastLines.slice(1 - keptLines), text.slice(0, keptOfLine)];
        this.#events.line(text);
      });
    }
    this.#child = child;
    return child;
  }

  async #watch(first: GuardedChild): Promise<void> {
    const { signal } = this.#stopping;
    let child = first;
    let backoff = firstBackoffMs;
    for (;;) {
      const started = Date.now();
      const exit = await child.exited;
      if (signal.aborted) return;
      if (Date.now() - started > steadyMs) {
        backoff = firstBackoffMs;
        this.#deaths = undefined;
      }
      let why = `ended (${exit.signal ?? `exit code ${exit.code}`})`;
      this.#deaths = { count: (this.#deaths?.count ?? 0) + 1, last: why, at: new Date().toISOString() };
      let next: GuardedChild | undefined;
      while (next === undefined) {
        this.#events.note(`${why}; starting again in ${backoff} ms`);
        await sleep(backoff, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
        backoff = Math.min(backoff * 2, maxBackoffMs);
        try {
          next = this.#spawn();
        } catch (error) {
          // No process could be made: its folder is gone, or the machine is full. The others must not fall with it.
          why = messageOf(error);
        }
      }
      child = next;
      const { pid } = child;
      const over = new AbortController();
      void child.exited.then(() => over.abort());
      void this.#options
        .ready(AbortSignal.any([signal, over.signal]))
        .then(() => this.#events.note(`serves again (pid ${pid})`))
        .catch(() => undefined);
    }
  }
}
