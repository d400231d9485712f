import { messageOf, type OriginRule } from "@proveniq/contracts";
import { SnapshotDirectory } from "./snapshot-directory.ts";
import { withTimeout } from "./timeout.ts";
import type { Directory, DirectoryLog, HostTable, LookupResult, Placed } from "./types.ts";

export interface RefreshLimits {
  /** Milliseconds after which the snapshot is asked for again, while the old one serves. Spread by a fifth. */
  ttlMs: number;
  timeoutMs: number;
  /** Milliseconds without asking after the source failed. */
  pauseMs: number;
  /** Milliseconds between two readings that cells gave cause for, by what they tell of moves. */
  againMs: number;
}

export const defaultRefreshLimits: RefreshLimits = {
  ttlMs: 10_000,
  timeoutMs: 1_500,
  pauseMs: 2_000,
  againMs: 1_000,
};

/**
 * A directory over a source that gives one whole snapshot (Edge Config). It is asked when somebody looks and the last
 * answer has become old, once at a time, and nobody waits for it who can be answered without. The last good snapshot
 * serves for ever.
 */
export class RefreshedDirectory implements Directory {
  readonly #read: () => Promise<unknown>;
  readonly #inner: SnapshotDirectory;
  readonly #limits: RefreshLimits;
  readonly #log: DirectoryLog;
  readonly #now: () => number;
  readonly #random: () => number;
  #nextAt = 0;
  #againAt = 0;
  #reading: Promise<void> | undefined;
  #down = false;
  #document: unknown;
  #changes = 0;

  /** @param options.read Gives the snapshot as a parsed document, or undefined when nothing has been published. */
  constructor(options: {
    read: () => Promise<unknown>;
    log: DirectoryLog;
    origins: OriginRule;
    limits?: Partial<RefreshLimits>;
    now?: () => number;
    random?: () => number;
  }) {
    this.#read = options.read;
    this.#log = options.log;
    this.#inner = new SnapshotDirectory(options.log, {
      readAgain: () => this.#readAgain(),
      origins: options.origins,
    });
    this.#limits = { ...defaultRefreshLimits, ...options.limits };
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
  }

  /** Begin with a snapshot that came with the program or was kept by an earlier process. */
  restore(text: string): void {
    const document: unknown = JSON.parse(text);
    if (this.#inner.offerDocument(document, "kept") === "accepted") this.#document = document;
  }

  /** The snapshot that is believed, as text, for `restore` after a restart. */
  snapshot(): string | undefined {
    return this.#document === undefined ? undefined : JSON.stringify(this.#document);
  }

  /** Grows with every snapshot that was believed. */
  get changes(): number {
    return this.#changes;
  }

  get version(): number {
    return this.#inner.version;
  }

  /** Resolves when there is something to decide by, at the latest after the time-out. */
  async ready(): Promise<void> {
    const refresh = this.#refresh();
    if (this.#inner.hostTable() === undefined) await refresh;
  }

  /** Resolves when no question is under way. */
  async settled(): Promise<void> {
    await this.#reading;
  }

  hostTable(): HostTable | undefined {
    void this.#refresh();
    return this.#inner.hostTable();
  }

  lookup(tenantId: string): LookupResult {
    return this.#inner.lookup(tenantId);
  }

  adopt(tenantId: string, asked: Placed, told: Placed): boolean {
    return this.#inner.adopt(tenantId, asked, told);
  }

  /** At once, unless the source has just failed or a cell has just had it read: a cell may say what it likes, often. */
  #readAgain(): void {
    const now = this.#now();
    if (this.#down || now < this.#againAt) return;
    this.#againAt = now + this.#limits.againMs;
    this.#nextAt = now;
    void this.#refresh();
  }

  #refresh(): Promise<void> | undefined {
    if (this.#reading !== undefined || this.#now() < this.#nextAt) return this.#reading;
    this.#reading = this.#ask().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #ask(): Promise<void> {
    const spread = 0.8 + this.#random() * 0.4;
    try {
      const document = await withTimeout(this.#read(), this.#limits.timeoutMs);
      if (document === undefined) throw new Error("nothing has been published");
      this.#nextAt = this.#now() + this.#limits.ttlMs * spread;
      if (this.#inner.offerDocument(document, "source") === "accepted") {
        this.#document = document;
        this.#changes += 1;
      }
      if (this.#down) this.#log("info", "directory source is back", {});
      this.#down = false;
    } catch (error) {
      this.#nextAt = this.#now() + this.#limits.pauseMs * spread;
      const reason = messageOf(error);
      if (!this.#down)
        this.#log("warn", "directory source failed", { reason, believedVersion: this.version });
      this.#down = true;
    }
  }
}
