import { setTimeout as sleep } from "node:timers/promises";
import { Service, type ServiceEvents } from "../process/service.ts";
import type { InstalledArtefact } from "./artefact.ts";
import { bulkOptions, cellOptions, replicatorOptions, type ServiceContext } from "./services.ts";

/** Where a version of a cell answers. */
export interface CellPlace {
  api: string;
  bulk: string;
}

interface Version {
  artefact: InstalledArtefact;
  place: CellPlace;
  api: Service;
  bulk: Service;
}

/** By then every router has read the directory that no longer names the former version: it looks each second. */
const routersReadMs = 2_500;
/** As long as a chunk of an import may be worked on. */
const drainMs = 35_000;

/**
 * One cell: the version that serves, and beside it at most one other, the next or the former, on ports of its own. What
 * serves is replaced by starting the next beside it, sending new requests there, and stopping the former when its last
 * request is answered.
 */
export class LocalCell {
  readonly id: string;
  readonly #context: ServiceContext;
  readonly #places: readonly [CellPlace, CellPlace];
  readonly #eventsOf: (source: string) => ServiceEvents;
  #serving: Version | undefined;
  #beside: Version | undefined;
  #replicator: Service | undefined;
  /** What the replicator was started from, and became ready. */
  #replicates: string | undefined;
  #servesSince = 0;

  constructor(
    context: ServiceContext,
    id: string,
    places: readonly [CellPlace, CellPlace],
    eventsOf: (source: string) => ServiceEvents,
  ) {
    this.#context = context;
    this.id = id;
    this.#places = places;
    this.#eventsOf = eventsOf;
  }

  /** What serves, and what stands beside it. */
  get state(): { artefact: string; place: CellPlace; beside?: { artefact: string; place: CellPlace } } {
    const { artefact, place } = this.#version();
    const beside = this.#beside;
    return {
      artefact: artefact.digest,
      place,
      ...(beside === undefined ? {} : { beside: { artefact: beside.artefact.digest, place: beside.place } }),
    };
  }

  /** What serves. */
  get artefact(): InstalledArtefact {
    return this.#version().artefact;
  }

  /** By name; those of the version beside have an `@` and the digest's beginning behind it. */
  services(): [name: string, service: Service][] {
    const beside = this.#beside;
    const mark = beside === undefined ? "" : `@${beside.artefact.digest.slice(0, 12)}`;
    const all = [this.#serving?.api, this.#serving?.bulk, this.#replicator];
    return [
      ...all.flatMap((s): [string, Service][] => (s === undefined ? [] : [[s.name, s]])),
      ...[beside?.api, beside?.bulk].flatMap((s): [string, Service][] =>
        s === undefined ? [] : [[s.name + mark, s]],
      ),
    ];
  }

  async start(artefact: InstalledArtefact): Promise<void> {
    this.#serving = this.#make(artefact, this.#places[0]);
    await startBoth(this.#serving);
  }

  /** Run the replicator from what serves; does nothing when it does so already. */
  async runReplicator(): Promise<void> {
    const { artefact, place } = this.#version();
    if (this.#replicates === artefact.digest) return;
    const name = `replicate-${this.id}`;
    const options = replicatorOptions(this.#context, this.id, artefact, place);
    this.#replicates = undefined;
    if (this.#replicator === undefined) {
      this.#replicator = new Service(name, options, this.#eventsOf(name));
      await this.#replicator.start();
    } else await this.#replicator.restart(options);
    this.#replicates = artefact.digest;
  }

  /** Start an artefact beside the one that serves, unless it is there; whatever else stood there is stopped. Rejects when it does not become ready. */
  async stage(artefact: InstalledArtefact): Promise<void> {
    const serving = this.#version();
    if (serving.artefact.digest === artefact.digest) return;
    if (this.#beside?.artefact.digest === artefact.digest) return;
    await this.#stopBeside();
    const [first, second] = this.#places;
    const next = this.#make(artefact, serving.place.api === first.api ? second : first);
    this.#beside = next;
    try {
      await startBoth(next);
    } catch (error) {
      await this.#stopBeside(0);
      throw error;
    }
  }

  /** From now on the one beside is the one that serves, if it is this one; the former stays beside it. */
  flip(digest: string): void {
    const serving = this.#version();
    if (serving.artefact.digest === digest) return;
    const next = this.#beside;
    if (next?.artefact.digest !== digest) throw new Error(`${digest} does not stand beside cell ${this.id}`);
    this.#serving = next;
    this.#beside = serving;
    this.#servesSince = Date.now();
  }

  /** Stop what stands beside the one that serves, once nobody sends it anything and its requests are answered. */
  async settle(): Promise<void> {
    if (this.#beside === undefined) return;
    await sleep(Math.max(0, this.#servesSince + routersReadMs - Date.now()));
    await this.#stopBeside();
  }

  async stop(): Promise<void> {
    await Promise.all(this.services().map(([, service]) => service.stop()));
  }

  async #stopBeside(graceMs = drainMs): Promise<void> {
    const version = this.#beside;
    if (version === undefined) return;
    await Promise.all([version.api.stop(graceMs), version.bulk.stop(graceMs)]);
    if (this.#beside === version) this.#beside = undefined;
  }

  #make(artefact: InstalledArtefact, place: CellPlace): Version {
    const { id } = this;
    const make = (name: string, options: typeof cellOptions) =>
      new Service(name, options(this.#context, id, artefact, place), this.#eventsOf(name));
    return { artefact, place, api: make(id, cellOptions), bulk: make(`bulk-${id}`, bulkOptions) };
  }

  #version(): Version {
    if (this.#serving === undefined) throw new Error(`The cell ${this.id} has not started`);
    return this.#serving;
  }
}

async function startBoth({ api, bulk }: Version): Promise<void> {
  const done = await Promise.allSettled([api.start(), bulk.start()]);
  for (const each of done) if (each.status === "rejected") throw each.reason;
}
