import { isDeepStrictEqual } from "node:util";
import { type Applied, applyRows, type FileMeaning, type Held } from "./model.ts";
import { apply, type Count, show, unique, type Window, type World, without, wrote } from "./world.ts";

/** The least and the most of a number. */
export interface Span {
  low: number;
  high: number;
}

/** What a check would count. */
export type Outlook = Record<Exclude<Count, "restored" | "kept"> | "ofSource", Span>;

export interface Stored {
  held: Held | undefined;
  events: readonly string[];
}

/**
 * A tenant's book as far as one can know it from outside. What is certain is one world for each thing; while an import may be
 * at work there are several, and each answer leaves those that fit it.
 */
export class Book {
  readonly tenant: string;
  readonly #worlds = new Map<string, World[]>();
  readonly #windows = new Map<string, Window>();

  constructor(tenant: string, things: readonly string[]) {
    this.tenant = tenant;
    for (const thing of things) {
      this.#worlds.set(thing, [
        {
          held: undefined,
          writer: "",
          pending: [],
          events: [],
          did: {},
          marked: { by: "", events: 0 },
          replaced: {},
        },
      ]);
    }
  }

  get things(): string[] {
    return [...this.#worlds.keys()];
  }

  /** True when there is no doubt about anything. */
  get isCertain(): boolean {
    return [...this.#worlds.values()].every(
      ([world, ...more]) => more.length === 0 && world?.pending.length === 0,
    );
  }

  /** Nothing but this import was at work since it was opened, and all was certain before. */
  isExact(name: string): boolean {
    return this.#windows.get(name)?.exact ?? false;
  }

  /** From now on an import may apply its rows, after all that was opened before. */
  open(name: string, file: FileMeaning, mayBeRefused: boolean): void {
    this.#open({ kind: "import", name, file, mayBeRefused, exact: this.isCertain });
  }

  openUndo(name: string, of: string): void {
    this.#open({ kind: "undo", name, of, exact: this.isCertain });
  }

  #open(window: Window): void {
    for (const other of this.#windows.values()) other.exact = false;
    this.#windows.set(window.name, window);
    this.#map((world) => {
      const behind = { ...world, pending: [...world.pending, window.name] };
      // One before it that is refused meanwhile has to be asked for again, and stands behind it then.
      const last = world.pending.filter((name) => this.#mayBeRefused(name));
      return last.length === 0
        ? [behind]
        : [behind, { ...world, pending: [...without(behind, ...last).pending, ...last] }];
    });
  }

  #mayBeRefused(name: string): boolean {
    const window = this.#windows.get(name);
    return window?.kind === "import" && window.mayBeRefused;
  }

  /**
   * An import that may have been refused without our knowing is asked to go on: it may stand at the end of the line by now.
   * `left`: nobody will ask any more, so it may come to nothing.
   */
  openAgain(name: string, left = false): void {
    if (!this.#mayBeRefused(name)) return;
    this.#map((world) => {
      const others = without(world, name);
      if (!world.pending.includes(name)) return [world];
      return [world, left ? others : { ...others, pending: [...others.pending, name] }];
    });
  }

  /** It has ended: every thing is as its rows say. Answers what is impossible about that. */
  completed(name: string): string[] {
    return this.#close(name, (world) => (world.pending.includes(name) ? [] : [world]));
  }

  /** It was ended somewhere in between. */
  cancelled(name: string): string[] {
    return this.#close(name, (world) => [without(world, name)]);
  }

  /** It has not begun to write, and will not. */
  refused(name: string): string[] {
    return this.#close(name, (world) => (world.pending.includes(name) ? [without(world, name)] : []));
  }

  #close(name: string, keep: (world: World) => World[]): string[] {
    this.#expand();
    const faults: string[] = [];
    for (const [thing, worlds] of this.#worlds) {
      const left = unique(worlds.flatMap(keep));
      if (left.length === 0) faults.push(`${thing}: no way to this answer about ${name}: ${show(worlds)}`);
      else this.#worlds.set(thing, left);
    }
    return faults;
  }

  /**
   * Something was done to, or seen of, a thing. `step` answers what it makes of a world, undefined when the answer that was
   * seen is impossible there.
   */
  seen(
    thing: string,
    what: string,
    step: (held: Held | undefined) => { held: Held | undefined } | undefined,
  ): string[] {
    this.#expand();
    for (const window of this.#windows.values()) window.exact = false;
    const worlds = this.#worlds.get(thing) ?? [];
    const left = worlds.flatMap((world) => {
      const next = step(world.held);
      if (next === undefined) return [];
      if (isDeepStrictEqual(next.held, world.held)) return [world];
      return [wrote(world, "api", next.held, "api")];
    });
    if (left.length === 0) return [`${thing}: ${what} fits none of ${show(worlds)}`];
    this.#worlds.set(thing, unique(left));
    return [];
  }

  /** All things were looked at, at one moment between the answer before and the next: keep the worlds in which they stand so. */
  looked(there: ReadonlyMap<string, Held>): string[] {
    this.#expand();
    const faults: string[] = [];
    for (const [thing, worlds] of this.#worlds) {
      const held = there.get(thing);
      const left = worlds.filter((world) => isDeepStrictEqual(world.held, held));
      if (left.length === 0)
        faults.push(`${thing}: stored is ${JSON.stringify(held)}, possible ${show(worlds)}`);
      else this.#worlds.set(thing, left);
    }
    return faults;
  }

  /** What a check of this file would find now. `before`: the import that is checked, if it is in the line already. */
  outlook(file: FileMeaning, before: string | undefined): Outlook {
    this.#expand();
    const none = (): Span => ({ low: 0, high: 0 });
    const sum: Outlook = {
      created: none(),
      changed: none(),
      unchanged: none(),
      deleted: none(),
      absent: none(),
      gone: none(),
      superseded: none(),
      refused: none(),
      ofSource: none(),
    };
    for (const [thing, all] of this.#worlds) {
      const worlds = all.filter((w) => w.pending[0] === before);
      const found = (worlds.length > 0 ? worlds : all).map((world) => {
        const done = apply(
          world,
          thing,
          { kind: "import", name: "?", file, mayBeRefused: false, exact: true },
          this.tenant,
        );
        const counts: Record<string, number> = { ...done.did["?"] };
        counts["ofSource"] = world.held?.source === file.source ? 1 : 0;
        return counts;
      });
      for (const [kind, span] of Object.entries(sum)) {
        span.low += Math.min(...found.map((f) => f[kind] ?? 0));
        span.high += Math.max(...found.map((f) => f[kind] ?? 0));
      }
    }
    return sum;
  }

  /** For each thing that a file names: how its rows fared. For imports that are exact. */
  fates(name: string): Map<string, Applied> {
    const window = this.#windows.get(name);
    const fates = new Map<string, Applied>();
    if (window?.kind !== "import") return fates;
    for (const [thing, worlds] of this.#worlds) {
      const [world] = worlds;
      if (world === undefined) continue;
      const before = Object.hasOwn(world.replaced, name) ? world.replaced[name] : world.held;
      fates.set(thing, applyRows(window.file, thing, before?.item, this.tenant));
    }
    return fates;
  }

  /** Keep the worlds that end in what is stored. */
  found(stored: ReadonlyMap<string, Stored>): string[] {
    this.#expand();
    const faults: string[] = [];
    for (const [thing, worlds] of this.#worlds) {
      const { held, events } = stored.get(thing) ?? { held: undefined, events: [] };
      const left = worlds.filter(
        (w) => isDeepStrictEqual(w.held, held) && isDeepStrictEqual(w.events, [...events].sort()),
      );
      if (left.length === 0) {
        faults.push(
          `${thing}: stored ${JSON.stringify(held)} with events ${JSON.stringify(events)}; possible: ${show(worlds, true)}`,
        );
      } else this.#worlds.set(thing, left);
    }
    return faults;
  }

  /** Whether these counts can be the sum over all things of what an import did, in worlds that are left. */
  accountsFor(name: string, counts: Partial<Record<Count | "deletedInAll", number>>): boolean {
    const kinds = Object.keys(counts) as (Count | "deletedInAll")[];
    let sums = new Set([JSON.stringify(kinds.map(() => 0))]);
    for (const worlds of this.#worlds.values()) {
      const ways = worlds.map((w) => {
        const did = w.did[name] ?? {};
        const all = { ...did, deletedInAll: (did.deleted ?? 0) + (did.gone ?? 0) };
        return kinds.map((kind) => all[kind] ?? 0);
      });
      const next = new Set<string>();
      for (const sum of sums)
        for (const way of ways)
          next.add(JSON.stringify((JSON.parse(sum) as number[]).map((n, i) => n + (way[i] ?? 0))));
      sums = next;
    }
    return sums.has(JSON.stringify(kinds.map((kind) => counts[kind])));
  }

  /** Let everything that may have been applied by now be applied, or not. */
  #expand(): void {
    this.#map((world, thing) => {
      const reached = [world];
      let at = world;
      for (let head = at.pending[0]; head !== undefined; head = at.pending[0]) {
        const window = this.#windows.get(head);
        if (window === undefined) throw new Error(`there is no window ${head}`);
        at = apply(at, thing, window, this.tenant);
        reached.push(at);
      }
      return reached;
    });
  }

  #map(change: (world: World, thing: string) => World[]): void {
    for (const [thing, worlds] of this.#worlds)
      this.#worlds.set(thing, unique(worlds.flatMap((world) => change(world, thing))));
  }
}
