import type { DocumentReference, Firestore } from "@google-cloud/firestore";
import { type Pausable, type Pause, pause } from "@proveniq/contracts";
import { withinDeadline } from "../failures.ts";

/** A pause, and its end, are felt within this time, in milliseconds. */
const ttlMs = 5_000;
/** For so long what was known last holds when the database cannot tell: it may be busy with the very thing that was paused. */
const keptMs = 60_000;
const timeoutMs = 2_000;

/** One document for each: who works on one thing may not be able to read what stops another. */
export function pauseRef(db: Firestore, what: Pausable): DocumentReference {
  return db.collection("pauses").doc(what);
}

/** The database that says so, by name: the one that what stands still can read anyway. */
export function pausedIn(what: Pausable, home: string, marketDatabase: string): string {
  return what === "replicator" ? marketDatabase : home;
}

export interface PauseReaderOptions {
  open: () => Promise<Firestore>;
  what: Pausable;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Whether something is to stand still, read from the cell's own database every five seconds at most. */
export class PauseReader {
  readonly #options: Required<PauseReaderOptions>;
  #askedAt = Number.NEGATIVE_INFINITY;
  #known: { at: number; pause: Pause | undefined } | undefined;
  #asking: Promise<void> | undefined;

  constructor(options: PauseReaderOptions) {
    this.#options = { now: Date.now, ...options };
  }

  /**
   * The pause; undefined while there is none. Never rejects: where nothing can be read, or nothing that makes sense, what
   * was read in the last minute holds, and then it runs.
   */
  async current(): Promise<Pause | undefined> {
    const { now } = this.#options;
    if (now() - this.#askedAt >= ttlMs) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
    }
    await this.#asking;
    return this.#known !== undefined && now() - this.#known.at < keptMs ? this.#known.pause : undefined;
  }

  async #ask(): Promise<void> {
    const { open, what, now } = this.#options;
    const at = now();
    try {
      const snapshot = await withinDeadline(timeoutMs, async () => pauseRef(await open(), what).get());
      this.#known = { at, pause: snapshot.exists ? pause.parse(snapshot.data()) : undefined };
    } catch {
      // Said by whoever works on the same database a moment later.
    } finally {
      this.#askedAt = now();
    }
  }
}
