import {
  directorySnapshot,
  maxEpoch,
  messageOf,
  type OriginRule,
  orderOfVersions,
  originFaults,
} from "@proveniq/contracts";
import { AdoptedPlacements } from "./adopted.ts";
import { buildHostTable } from "./host-table.ts";
import { judgeSuccessor } from "./successor.ts";
import { withTimeout } from "./timeout.ts";
import type {
  Directory,
  DirectoryLog,
  DirectoryPlacement,
  HostTable,
  LookupResult,
  Placed,
} from "./types.ts";

/** Where placements come from one by one. Each call may throw or hang: it is given up after `timeoutMs`. */
export interface PlacementSource {
  /** Hosts and cells: `{version, publishedAt, topology, tenantHosts}`. */
  readHead(): Promise<unknown>;
  /** `cell;epoch`; null when the source has nothing under that id. */
  readPlacement(tenantId: string): Promise<string | null>;
}

export interface CacheLimits {
  /** Milliseconds after which a placement is asked for again, while the old one serves. Spread by a fifth. */
  ttlMs: number;
  /** Milliseconds for which "no such tenant" is believed. */
  negativeMs: number;
  /** Milliseconds after which an answer of the source is no longer waited for. */
  timeoutMs: number;
  /** Milliseconds without asking after the source failed. */
  pauseMs: number;
  /** Milliseconds between two questions about a tenant that cells gave cause for, by what they tell of moves. */
  againMs: number;
  /** Placements in memory; the one added first goes first. */
  maxEntries: number;
  /** Ids in memory that nobody has, and questions under way: callers choose ids as they like. */
  maxUnknown: number;
  maxAsking: number;
}

export const defaultCacheLimits: CacheLimits = {
  ttlMs: 10_000,
  negativeMs: 3_000,
  timeoutMs: 1_000,
  pauseMs: 1_000,
  againMs: 1_000,
  maxEntries: 200_000,
  maxUnknown: 10_000,
  maxAsking: 256,
};

interface Entry extends Placed {
  freshUntil: number;
  /** The version of the directory under which the source said so; 0 for what an earlier process kept. */
  version: number;
  askedAt: number;
}

/**
 * A directory over a source that is asked tenant by tenant. What was learnt once is kept for ever while the source is
 * down; one question per tenant at a time; who can be answered from memory never waits. A tenant that was known is not
 * forgotten because the source has lost it: the cell itself refuses it if it is really gone.
 */
export class CachedDirectory implements Directory {
  readonly #source: PlacementSource;
  readonly #limits: CacheLimits;
  readonly #log: DirectoryLog;
  readonly #origins: OriginRule;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #entries = new Map<string, Entry>();
  /** Ids that the source does not have, each with the time until which that is believed. */
  readonly #unknown = new Map<string, number>();
  readonly #asking = new Map<string, Promise<LookupResult>>();
  readonly #adopted = new AdoptedPlacements();
  #hosts: HostTable | undefined;
  #head: unknown;
  #headUntil = 0;
  #readingHead: Promise<void> | undefined;
  /** No question before this time: the source has just failed. */
  #pausedUntil = 0;
  #down = false;
  #changes = 0;

  constructor(options: {
    source: PlacementSource;
    log: DirectoryLog;
    origins: OriginRule;
    limits?: Partial<CacheLimits>;
    now?: () => number;
    random?: () => number;
  }) {
    this.#source = options.source;
    this.#log = options.log;
    this.#origins = options.origins;
    this.#limits = { ...defaultCacheLimits, ...options.limits };
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
  }

  /** Grows with every change worth keeping across a restart. */
  get changes(): number {
    return this.#changes;
  }

  /** Read hosts and cells, unless they are fresh. Never throws; resolves at the latest after the time-out. */
  async ready(): Promise<void> {
    if (this.#now() >= this.#headUntil) await this.#refreshHead();
  }

  hostTable(): HostTable | undefined {
    if (this.#now() >= this.#headUntil) void this.#refreshHead();
    return this.#hosts;
  }

  lookup(tenantId: string): LookupResult | Promise<LookupResult> {
    const entry = this.#entries.get(tenantId);
    if (entry !== undefined) {
      // Known, even if not fresh: ask in the background, answer at once.
      if (this.#now() >= entry.freshUntil) void this.#ask(tenantId);
      return this.#resultOf(tenantId, entry);
    }
    const unknownUntil = this.#unknown.get(tenantId);
    if (unknownUntil !== undefined && this.#now() < unknownUntil) return "unknown";
    return this.#ask(tenantId);
  }

  adopt(tenantId: string, asked: Placed, told: Placed): boolean {
    const entry = this.#entries.get(tenantId);
    if (this.#hosts === undefined || entry === undefined) return false;
    const current = this.#resultOf(tenantId, entry);
    const known = typeof current === "object" ? current : undefined;
    const verdict = judgeSuccessor(known, asked, told, this.#hosts.cells);
    if (verdict === "adopt") this.#adopted.remember(tenantId, told);
    if (verdict === "ahead" && this.#now() >= entry.askedAt + this.#limits.againMs) {
      void this.#ask(tenantId);
      // It may be a cell that was added since.
      if (!this.#hosts.cells.has(told.cellId)) void this.#refreshHead();
    }
    return verdict === "adopt" || verdict === "known";
  }

  /** All that the source has said, as text, for `restore` after a restart. */
  snapshot(): string | undefined {
    if (this.#head === undefined) return undefined;
    const tenants = [...this.#entries].map(([id, e]) => [id, e.cellId, e.epoch]);
    return JSON.stringify({ head: this.#head, tenants });
  }

  /** Begin with what an earlier process knew. It serves at once and is asked for again. Throws on garbage. */
  restore(text: string): void {
    const { head, tenants } = JSON.parse(text);
    this.#believeHead(head, undefined);
    if (!Array.isArray(tenants)) throw new Error("the kept directory is not readable");
    for (const [id, cellId, epoch] of tenants) {
      if (typeof id === "string" && typeof cellId === "string" && isEpoch(epoch))
        this.#keep(id, { cellId, epoch, freshUntil: 0, version: 0, askedAt: 0 });
    }
    this.#log("info", "directory restored", {
      tenants: this.#entries.size,
      version: this.#hosts?.version ?? 0,
    });
  }

  #resultOf(tenantId: string, { cellId, epoch }: Entry): DirectoryPlacement | "unavailable" {
    if (this.#hosts === undefined) return "unavailable";
    const adopted = this.#adopted.newerThan(tenantId, epoch, this.#hosts);
    if (adopted !== undefined) return adopted;
    const cell = this.#hosts.cells.get(cellId);
    return cell === undefined ? "unavailable" : { cell, epoch };
  }

  #ask(tenantId: string): Promise<LookupResult> {
    const under = this.#asking.get(tenantId);
    if (under !== undefined) return under;
    if (this.#now() < this.#pausedUntil || this.#asking.size >= this.#limits.maxAsking)
      return Promise.resolve("unavailable");
    const asked = this.#learn(tenantId).finally(() => this.#asking.delete(tenantId));
    this.#asking.set(tenantId, asked);
    return asked;
  }

  async #learn(tenantId: string): Promise<LookupResult> {
    // From before the question: what is answered is at least as new.
    const version = this.#hosts?.version ?? 0;
    const askedAt = this.#now();
    const before = this.#entries.get(tenantId);
    if (before !== undefined) before.askedAt = askedAt;
    const answer = await this.#attempt(() => this.#source.readPlacement(tenantId));
    const known = this.#entries.get(tenantId);
    const told = answer === failed || answer === null ? undefined : readPlacementText(answer);
    // An older epoch is believed of a newer directory only: a replica of the source may lag, and a mistake be put right.
    if (told !== undefined && (told.epoch >= (known?.epoch ?? 0) || version !== known?.version)) {
      const entry = { ...told, freshUntil: this.#now() + this.#ttl(), version, askedAt };
      this.#keep(tenantId, entry);
      return this.#resultOf(tenantId, entry);
    }
    if (known !== undefined) {
      // Lost, garbled or older than what is known: not believed.
      if (answer !== failed) known.freshUntil = this.#now() + this.#ttl();
      return this.#resultOf(tenantId, known);
    }
    if (answer !== null) return "unavailable";
    this.#unknown.delete(tenantId);
    bounded(this.#unknown, this.#limits.maxUnknown).set(tenantId, this.#now() + this.#limits.negativeMs);
    return "unknown";
  }

  #refreshHead(): Promise<void> {
    if (this.#readingHead !== undefined) return this.#readingHead;
    if (this.#now() < this.#pausedUntil) return Promise.resolve();
    this.#readingHead = this.#attempt(() => this.#source.readHead())
      .then((head) => {
        if (head === failed) return;
        this.#headUntil = this.#now() + this.#ttl();
        this.#offerHead(head);
      })
      .finally(() => {
        this.#readingHead = undefined;
      });
    return this.#readingHead;
  }

  #offerHead(head: unknown): void {
    try {
      this.#believeHead(head, this.#hosts?.version);
    } catch (error) {
      const reason = messageOf(error);
      this.#log("warn", "directory not believed", { reason, believedVersion: this.#hosts?.version ?? 0 });
    }
  }

  #believeHead(head: unknown, believed: number | undefined): void {
    const document = typeof head === "object" && head !== null ? head : {};
    // The head names hosts of tenants that it does not list: their placements are read one by one.
    const { tenantHosts, ...rest } = { tenantHosts: {}, ...document };
    const parsed = directorySnapshot.parse({ ...rest, tenants: {}, tenantHosts: {} });
    const faults = originFaults(parsed.topology.cells, this.#origins);
    if (faults.length > 0) throw new Error(faults.join("; "));
    const order = believed === undefined ? "newer" : orderOfVersions(parsed.version, believed);
    if (order === "same") return;
    if (order === "older") throw new Error(`it is older (version ${parsed.version})`);
    if (order === "beyond") throw new Error(`no publication can be at version ${parsed.version} yet`);
    const hosts = Object.entries(tenantHosts).filter(
      (pair): pair is [string, string] =>
        typeof pair[1] === "string" && !Object.hasOwn(parsed.topology.hosts, pair[0]),
    );
    this.#hosts = buildHostTable({ ...parsed, tenantHosts: Object.fromEntries(hosts) });
    this.#head = document;
    this.#adopted.clear();
    this.#changes += 1;
    this.#log("info", "directory read", { version: parsed.version, cells: this.#hosts.cells.size });
  }

  async #attempt<T>(question: () => Promise<T>): Promise<T | typeof failed> {
    try {
      const answer = await withTimeout(question(), this.#limits.timeoutMs);
      if (this.#down) this.#log("info", "directory source is back", {});
      this.#down = false;
      return answer;
    } catch (error) {
      this.#pausedUntil = this.#now() + this.#limits.pauseMs * (0.75 + this.#random() / 2);
      const reason = messageOf(error);
      if (!this.#down) this.#log("warn", "directory source failed", { reason, known: this.#entries.size });
      this.#down = true;
      return failed;
    }
  }

  #keep(tenantId: string, entry: Entry): void {
    const before = this.#entries.get(tenantId);
    if (before?.cellId !== entry.cellId || before?.epoch !== entry.epoch) this.#changes += 1;
    this.#unknown.delete(tenantId);
    if (before === undefined) bounded(this.#entries, this.#limits.maxEntries);
    this.#entries.set(tenantId, entry);
  }

  /** Spread, so that what was learnt together is not asked for again together. */
  #ttl(): number {
    return this.#limits.ttlMs * (0.8 + this.#random() * 0.4);
  }
}

const failed = Symbol("failed");

/** The map itself, with room for one more. */
function bounded<V>(map: Map<string, V>, limit: number): Map<string, V> {
  if (map.size < limit) return map;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
  return map;
}

function readPlacementText(text: string): { cellId: string; epoch: number } | undefined {
  const match = /^([a-z][a-z0-9-]{0,18}[a-z0-9]);([1-9][0-9]{0,9})$/.exec(text);
  const epoch = Number(match?.[2]);
  return match?.[1] === undefined || !isEpoch(epoch) ? undefined : { cellId: match[1], epoch };
}

function isEpoch(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1 && value <= maxEpoch;
}
