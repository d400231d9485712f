import { applyRows, type End, type FileMeaning, factsOf, type Held, namedBy, type Owned } from "./model.ts";

/** What an import, or an undo, did to one thing. `gone`: a full import deleted what its file does not name. */
export type Count = End | "gone" | "superseded" | "refused" | "restored" | "kept";
export type Did = Partial<Record<Count, number>>;

/** One way in which things may have come to stand as they do for one thing. */
export interface World {
  held: Held | undefined;
  /** Who wrote it last. */
  writer: string;
  /** Imports and undos that may still come, in their order. */
  pending: readonly string[];
  events: readonly string[];
  did: Readonly<Record<string, Did>>;
  /** Which import gave it its source last, and how many events there were then. */
  marked: { by: string; events: number };
  replaced: Readonly<Record<string, Held | undefined>>;
}

/** A time in which an import may apply its rows, or be undone. */
export type Window =
  | { kind: "import"; name: string; file: FileMeaning; mayBeRefused: boolean; exact: boolean }
  | { kind: "undo"; name: string; of: string; exact: boolean };

/** A world in which these do not come any more. */
export function without(world: World, ...names: string[]): World {
  return { ...world, pending: world.pending.filter((other) => !names.includes(other)) };
}

/** The same worlds, each once. */
export function unique(worlds: readonly World[]): World[] {
  if (worlds.length < 2) return [...worlds];
  return [...new Map(worlds.map((world) => [JSON.stringify(world), world])).values()];
}

/** A world after the first of its pending was applied to a thing. */
export function apply(world: World, thing: string, window: Window, tenant: string): World {
  const next = without(world, window.name);
  return window.kind === "undo" ? undone(next, window) : imported(next, thing, window, tenant);
}

function imported(
  world: World,
  thing: string,
  { name, file }: Extract<Window, { kind: "import" }>,
  tenant: string,
): World {
  const { held } = world;
  const { after, end, superseded, refused } = applyRows(file, thing, held?.item, tenant);
  const note = (did: Did, to = world): World => ({
    ...to,
    did: {
      ...to.did,
      [name]: {
        ...did,
        ...(superseded.length > 0 ? { superseded: superseded.length } : {}),
        ...(refused.length > 0 ? { refused: refused.length } : {}),
      },
    },
    replaced: { ...to.replaced, [name]: held },
  });
  if (end === undefined) {
    const gone = file.full && held?.source === file.source && !namedBy(file).has(thing);
    return gone ? note({ gone: 1 }, wrote(world, name, undefined, "import")) : note({});
  }
  const did = { [end]: 1 };
  if (end === "absent") return note(did);
  if (end === "unchanged") {
    if (held?.source === file.source) return note(did);
    const marked = { by: name, events: world.events.length };
    return note(did, { ...world, held: held && { ...held, source: file.source }, marked });
  }
  const made = after && { item: after, version: (held?.version ?? 0) + 1, source: file.source };
  const next = wrote(world, name, made, "import");
  return note(did, { ...next, marked: { by: name, events: next.events.length } });
}

function undone(world: World, { name, of }: Extract<Window, { kind: "undo" }>): World {
  const did = world.did[of] ?? {};
  const { held } = world;
  const before = world.replaced[of];
  const counted = (more: Did, to = world): World => ({ ...to, did: { ...to.did, [name]: more } });
  if (did.deleted === 1 || did.gone === 1) {
    if (held !== undefined || before === undefined) return counted({ kept: 1 });
    return counted({ restored: 1 }, wrote(world, name, { ...before, version: before.version + 1 }, "import"));
  }
  if (did.unchanged === 1 && world.marked.by === of && world.marked.events === world.events.length)
    return counted(
      {},
      { ...world, held: held && { ...held, source: before?.source }, marked: { by: name, events: 0 } },
    );
  if (did.created !== 1 && did.changed !== 1) return counted({});
  if (world.writer !== of || held === undefined) return counted({ kept: 1 });
  if (did.created === 1) return counted({ restored: 1 }, wrote(world, name, undefined, "import"));
  const back = before && { ...before, version: held.version + 1 };
  return counted({ restored: 1 }, wrote(world, name, back, "import"));
}

/** A world after somebody wrote a thing. */
export function wrote(world: World, writer: string, held: Held | undefined, via: "api" | "import"): World {
  const event = eventText(world.held?.item, held?.item, via);
  return { ...world, held, writer, events: [...world.events, event].sort() };
}

/** An event as far as it matters here. */
export function eventText(before: Owned | undefined, after: Owned | undefined, via: string): string {
  const type = before === undefined ? "item.created" : after === undefined ? "item.deleted" : "item.updated";
  return eventLine(type, via, before && factsOf(before), after && factsOf(after));
}

/** The same from its parts. */
export function eventLine(
  type: string,
  via: string,
  before: Record<string, unknown> | undefined | null,
  after: Record<string, unknown> | undefined | null,
): string {
  const side = (facts: Record<string, unknown> | undefined | null) =>
    facts === undefined || facts === null
      ? null
      : Object.fromEntries(Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify([type, via, side(before), side(after)]);
}

/** A few worlds, for people. */
export function show(worlds: readonly World[], events = false): string {
  return worlds
    .slice(0, 4)
    .map((w) =>
      JSON.stringify({
        held: w.held ?? null,
        did: w.did,
        pending: w.pending,
        ...(events ? { events: w.events } : {}),
      }),
    )
    .join(" | ");
}
