import { setTimeout } from "node:timers/promises";
import type { Firestore } from "@google-cloud/firestore";
import type { App } from "firebase-admin/app";
import { clientSettings } from "./client-settings.ts";
import { withinDeadline } from "./failures.ts";

export interface DatabasePoolOptions {
  /** Google Cloud project of the cell. */
  projectId: string;
  /** The only database ids that may be opened: the manifest's. */
  allow: readonly string[];
  /** `host:port` of a Firestore emulator; absent in production. */
  emulatorHost?: string;
  /** Every client refuses calls that are not known to only read, with PERMISSION_DENIED. */
  readOnly?: boolean;
}

const closeWithinMs = 2_000;
let pools = 0;

/**
 * The databases of one project, opened by id, each at most once. firebase-admin and gRPC are loaded with the
 * first `open`, not before: a cell must answer /health long before it needs a database.
 */
export class DatabasePool {
  readonly #options: DatabasePoolOptions;
  readonly #allow: ReadonlySet<string>;
  readonly #clients = new Map<string, Promise<Firestore>>();
  #app: Promise<App> | undefined;
  #closed = false;

  constructor(options: DatabasePoolOptions) {
    this.#options = options;
    this.#allow = new Set(options.allow);
  }

  /** The client of one database. Throws for an id that is not on the allow-list, and after `close`. */
  async open(databaseId: string): Promise<Firestore> {
    if (this.#closed) throw new Error("the database pool is closed");
    if (!this.#allow.has(databaseId)) {
      throw new Error(
        `database "${databaseId}" is not in the allow-list of project ${this.#options.projectId}`,
      );
    }
    const known = this.#clients.get(databaseId);
    if (known !== undefined) return known;
    const opening = this.#connect(databaseId);
    this.#clients.set(databaseId, opening);
    opening.catch(() => this.#clients.delete(databaseId));
    return opening;
  }

  /** One small read, for readiness. Rejects with `ProblemError("database-unavailable")` after `timeoutMs`. */
  async ping(databaseId: string, timeoutMs: number): Promise<void> {
    await withinDeadline(timeoutMs, async () => {
      const firestore = await this.open(databaseId);
      await firestore.doc("health/ping").get();
    });
  }

  /** Ends every client and the app, in two seconds at most. Calling it again does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const opened = await Promise.allSettled(this.#clients.values());
    const clients = opened.flatMap((o) => (o.status === "fulfilled" ? [o.value] : []));
    // A client waits for its last calls to end, which they do not while the database is cut off.
    const ended = new AbortController();
    await Promise.race([
      Promise.all(clients.map((client) => client.terminate())),
      setTimeout(closeWithinMs, undefined, { signal: ended.signal, ref: false }),
    ]);
    ended.abort();
    if (this.#app === undefined) return;
    const { deleteApp } = await import("firebase-admin/app");
    await deleteApp(await this.#app);
  }

  async #connect(databaseId: string): Promise<Firestore> {
    const { projectId, emulatorHost, readOnly } = this.#options;
    this.#app ??= import("firebase-admin/app").then(({ initializeApp }) =>
      // Named, so that pools of several projects or emulators live in one process.
      initializeApp({ projectId }, `pool-${++pools}`),
    );
    const [app, { getFirestore }] = await Promise.all([this.#app, import("firebase-admin/firestore")]);
    const firestore = getFirestore(app, databaseId);
    firestore.settings(clientSettings(emulatorHost, readOnly));
    return firestore;
  }
}
