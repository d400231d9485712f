import { join } from "node:path";
import type { CellVersions } from "../control/server.ts";
import type { Service } from "../process/service.ts";
import { type InstalledArtefact, verifyInstalled } from "./artefact.ts";
import type { LocalCell } from "./cell.ts";
import type { FleetState } from "./state.ts";

/** A cell, as far as its versions go. */
export type VersionedCell = Pick<
  LocalCell,
  "id" | "state" | "artefact" | "stage" | "flip" | "runReplicator" | "settle" | "services" | "stop"
>;

/** What a change of a cell's version needs of the fleet around it. */
export interface VersionsOptions {
  /** Holds `<digest>/` of every artefact that was brought here. */
  artefacts: string;
  /** Cells may have new places: write the fleet's state and the directory that says so. */
  publish(): Promise<void>;
  /** Write the fleet's state alone. */
  tell(): Promise<void>;
  /** Run a cell's sink from this artefact; does nothing when it does so already. */
  runSink(id: string, artefact: InstalledArtefact): Promise<void>;
}

/**
 * The cells of a fleet, and the one place where their versions change. Each change does nothing when it is done already, so
 * one that failed half-way, or whose asker died, is simply asked for again.
 */
export class LocalCells implements CellVersions {
  readonly #options: VersionsOptions;
  readonly #cells = new Map<string, VersionedCell>();
  /** By cell, the last change of its version: one follows the other. */
  readonly #changes = new Map<string, Promise<void>>();

  constructor(options: VersionsOptions) {
    this.#options = options;
  }

  add(cell: VersionedCell): void {
    this.#cells.set(cell.id, cell);
  }

  has(id: string): boolean {
    return this.#cells.has(id);
  }

  all(): VersionedCell[] {
    return [...this.#cells.values()];
  }

  services(): [name: string, service: Service][] {
    return this.all().flatMap((cell) => cell.services());
  }

  async stop(): Promise<void> {
    await Promise.all(this.all().map((cell) => cell.stop()));
  }

  /** Every cell of a state with the version that serves it now, and the one beside that. */
  placesIn(cells: FleetState["cells"]): FleetState["cells"] {
    const now = Object.entries(cells).map(([id, before]) => {
      const place = { ...before };
      delete place.beside;
      const cell = this.#cells.get(id)?.state;
      if (cell === undefined) return [id, place] as const;
      const { artefact, beside } = cell;
      const other = beside === undefined ? {} : { beside: { artefact: beside.artefact, ...beside.place } };
      return [id, { ...place, ...cell.place, artefact, ...other }] as const;
    });
    return Object.fromEntries(now);
  }

  /** Put an artefact into every cell that does not run it, one after the other; resolves with their ids. */
  async replaceAll(artefact: InstalledArtefact): Promise<string[]> {
    const replaced: string[] = [];
    for (const { id, state } of this.all()) {
      if (state.artefact === artefact.digest) continue;
      await this.stage(id, artefact);
      await this.serve(id, artefact.digest);
      replaced.push(id);
    }
    await Promise.all(replaced.map((id) => this.settle(id)));
    return replaced;
  }

  /** Start an artefact beside a cell's version that serves. Rejects when it does not become ready; then nothing has changed. */
  stage(id: string, wanted: Pick<InstalledArtefact, "digest" | "commit">): Promise<void> {
    return this.#change(id, async (cell) => {
      const artefact = { ...wanted, folder: join(this.#options.artefacts, wanted.digest) };
      await verifyInstalled(artefact);
      await cell.stage(artefact);
    });
  }

  /** Send a cell's requests to the version that stands beside the one that serves, and run its sink and replicator from it. */
  serve(id: string, digest: string): Promise<void> {
    return this.#change(id, async (cell) => {
      cell.flip(digest);
      await this.#options.publish();
      await Promise.all([cell.runReplicator(), this.#options.runSink(id, cell.artefact)]);
    });
  }

  /** Stop what stands beside the version that serves, once its requests are answered. */
  settle(id: string): Promise<void> {
    return this.#change(id, async (cell) => {
      // A publication that failed is made up for before anything is stopped.
      await this.#options.publish();
      await cell.settle();
    });
  }

  /** One change of a cell at a time, however many ask; the state tells what came of it, also when it failed. */
  #change(id: string, work: (cell: VersionedCell) => Promise<void>): Promise<void> {
    const cell = this.#cells.get(id);
    if (cell === undefined) return Promise.reject(new Error(`No cell ${id} runs`));
    const before = this.#changes.get(id) ?? Promise.resolve();
    const next = (async () => {
      await before.catch(() => undefined);
      try {
        await work(cell);
      } finally {
        await this.#options.tell();
      }
    })();
    this.#changes.set(id, next);
    return next;
  }
}
