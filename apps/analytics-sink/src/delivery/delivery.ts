import type { DeliveryPlan, OutboxSink, SinkState, SinkStreams, WaitingPage } from "@proveniq/db/outbox/sink";
import { anonymiserVersion, type Change, dayOf, readPage, UnreadablePage } from "../anonymise/index.ts";
import type { DayKeys } from "../keys/index.ts";
import type { Alarm, SinkLogger } from "../log.ts";
import { type SinkTracing, untraced } from "../tracing.ts";
import type { Appended, Warehouse } from "../warehouse/port.ts";
import { batches } from "./batches.ts";
import { fromBitmap } from "./bitmap.ts";
import {
  type Ages,
  controlRow,
  type EncodedRows,
  encodeChanges,
  makePlan,
  type SinkCell,
  tables,
} from "./prepare.ts";
import { SeenMarks } from "./seen-marks.ts";

/** The outbox as a delivery needs it. */
export type Outbox = Pick<
  OutboxSink,
  "acquire" | "confirm" | "list" | "read" | "setStreams" | "plan" | "finish" | "setAside" | "halt"
>;

export interface DeliveryDeps {
  cell: SinkCell;
  /** Whose outbox it is, for the log. */
  database: string;
  outbox: Outbox;
  warehouse: Warehouse;
  keys: DayKeys;
  ages: Ages;
  logger: SinkLogger;
  tracing?: SinkTracing;
  /** Which marks were sent before; shared by all that deliver for one cell. */
  seen?: SeenMarks;
  now?: () => Date;
  /** Bounds of one delivery, and so of the memory that it takes. */
  maxEvents?: number;
  maxPages?: number;
}

/** `worked`: call again at once; `idle`: nothing waits; `elsewhere`: another sink has the lease; `halted`: a person must look. */
export type Step = "worked" | "idle" | "elsewhere" | "halted";

/** What was seen when the outbox was last looked at. */
export interface Backlog {
  /** Pages in sight; `more` when there are others behind them. */
  pages: number;
  more: boolean;
  /** Milliseconds since 1970 of the oldest page in sight. */
  oldest: number | undefined;
}

const listed = 300;

/**
 * The name of an outbox in its sink's state: the database and the form of the rows. The last release knows the database alone and
 * takes another name for a restored backup: after a rollback it opens streams of its own, and sends no row to a table it does not
 * know.
 */
export const outboxName = (database: string): string => `${database}#${anonymiserVersion}`;

/**
 * Carries one outbox to the warehouse, a delivery a step: plan, append at the planned offsets, forget the pages. It may be
 * killed anywhere; the next one finds the plan and repeats it, and the offsets tell what was there already.
 */
export class Delivery {
  readonly #deps: Required<DeliveryDeps>;
  /** Rows of the plan that this process made, and whether it has tried to append them. */
  #made: { id: string; rows: EncodedRows; tried: boolean } | undefined;
  backlog: Backlog = { pages: 0, more: false, oldest: undefined };
  state: SinkState | undefined;

  constructor(deps: DeliveryDeps) {
    this.#deps = {
      now: () => new Date(),
      seen: new SeenMarks(),
      tracing: untraced,
      maxEvents: 5_000,
      maxPages: 200,
      ...deps,
    };
  }

  async step(): Promise<Step> {
    const { outbox, database } = this.#deps;
    const state = await outbox.acquire();
    this.state = state;
    if (state === undefined) return "elsewhere";
    if (state.halted !== null) return "halted";
    if (state.database === database) return this.#takeOver(state);
    if (state.database !== outboxName(database)) return this.#restored(state);
    if (state.plan !== null) return this.#deliver(state, state.plan);
    return this.#planNext(state);
  }

  /** Choose pages, write the plan down, and make the delivery. */
  async #planNext(state: SinkState): Promise<Step> {
    const { outbox, cell, keys, ages, seen, now, maxEvents, maxPages } = this.#deps;
    const waiting = await this.#look(state.cursor);
    if (waiting.length === 0) return "idle";
    const chosen: { name: string; changes: Change[] }[] = [];
    let events = 0;
    for (const names of batches(waiting, maxEvents, maxPages)) {
      const blobs = await outbox.read(names);
      for (const [n, name] of names.entries()) {
        const changes = await this.#changesOf(name, blobs[n]);
        if (changes === undefined) continue;
        chosen.push({ name, changes });
        events += changes.length;
      }
      if (chosen.length > 0) break;
    }
    const [first] = chosen;
    if (first === undefined) return "worked";

    const planned = dayOf(now());
    const changes = chosen.flatMap((c) => c.changes);
    const isNew = ({ day, mark }: { day: string; mark: string }) => !seen.has(day, mark);
    const rows = await encodeChanges(cell, keys, ages, changes, planned, planned, isNew);
    if (rows === undefined) throw new Error("a key of today is gone already");
    const streams = state.streams ?? (await this.#newStreams());
    const next = { marks: streams.marks.offset, events: streams.events.offset, plans: streams.plans.offset };
    const plan = makePlan(
      chosen.map((c) => c.name),
      events,
      rows,
      planned,
      next,
    );
    this.#made = { id: plan.id, rows, tried: false };
    const last = chosen.at(-1)?.name ?? null;
    return this.#deliver(await outbox.plan(plan, last), plan);
  }

  /** Pages behind the cursor; from the start again when there are none. */
  async #look(cursor: string | null): Promise<WaitingPage[]> {
    const { outbox } = this.#deps;
    const behind = await outbox.list(listed, cursor);
    const found = behind.length > 0 || cursor === null ? behind : await outbox.list(listed, null);
    const times = found.map((p) => p.writtenAt);
    this.backlog = {
      pages: found.length,
      more: found.length === listed,
      oldest: times.length === 0 ? undefined : Math.min(...times),
    };
    return found;
  }

  /** The changes in a page; undefined, with the page out of the way and an alarm, when it cannot be read. */
  async #changesOf(name: string, blob: Uint8Array | undefined): Promise<Change[] | undefined> {
    try {
      if (blob === undefined) throw new UnreadablePage("has no content");
      return readPage(blob);
    } catch (error) {
      if (!(error instanceof UnreadablePage)) throw error;
      this.state = await this.#deps.outbox.setAside(name, error.message);
      this.#alarm("page-set-aside", { page: name, reason: error.message }, "a page was set aside");
      return undefined;
    }
  }

  #deliver(state: SinkState, plan: DeliveryPlan): Promise<Step> {
    return this.#deps.tracing.span("deliver events", () => this.#append(state, plan));
  }

  /**
   * Make the delivery that is planned. Marks go first: should the events never follow under this plan, people were counted
   * that nobody sees; the other way round, events would be seen that nobody was counted for.
   */
  async #append(state: SinkState, plan: DeliveryPlan): Promise<Step> {
    const { cell, warehouse, outbox } = this.#deps;
    const { streams } = state;
    if (streams === null) throw new Error("a delivery is planned without streams");
    const made = this.#made?.id === plan.id ? this.#made : undefined;
    const fresh = made !== undefined && !made.tried;
    const rows = made?.rows ?? (await this.#again(plan));
    if (rows === undefined) return this.#inDoubt(plan, streams);
    if (made !== undefined) made.tried = true;

    const parts = [
      { table: tables.marks, stream: streams.marks.name, at: plan.marks.offset, rows: rows.marks },
      { table: tables.events, stream: streams.events.name, at: plan.rows.offset, rows: rows.events },
      {
        table: tables.plans,
        stream: streams.plans.name,
        at: plan.control.offset,
        rows: controlRow(cell, plan),
      },
    ];
    for (const part of parts) {
      if (part.rows.length === 0) continue;
      const answer = await warehouse.append(part.table, part.stream, part.at, part.rows);
      if (answer === "appended" || (answer === "exists" && !fresh)) continue;
      return this.#unexpected(answer, part.table.name, plan, streams);
    }
    this.#made = undefined;
    this.state = await outbox.finish(plan);
    for (const { day, mark } of rows.sent) this.#deps.seen.add(day, mark);
    return "worked";
  }

  /** The rows of a plan that an earlier process made: the same bytes, or undefined when that is not possible any more. */
  async #again(plan: DeliveryPlan): Promise<EncodedRows | undefined> {
    const { cell, keys, ages, outbox, now } = this.#deps;
    if (plan.version !== anonymiserVersion) return undefined;
    const blobs = await outbox.read(plan.pages);
    const changes = blobs.flatMap((blob) => (blob === undefined ? [] : readPage(blob)));
    if (changes.length !== plan.events) return undefined;
    const wasNew = fromBitmap(plan.firstSeen);
    const sends = (_: unknown, n: number) => wasNew(n);
    const rows = await encodeChanges(cell, keys, ages, changes, plan.planned, dayOf(now()), sends);
    return rows?.digest === plan.digest ? rows : undefined;
  }

  /** An append was answered in a way that only happens when something went wrong elsewhere. */
  async #unexpected(
    answer: Exclude<Appended, "appended">,
    table: string,
    plan: DeliveryPlan,
    streams: SinkStreams,
  ): Promise<Step> {
    const { outbox } = this.#deps;
    const about = { table, plan: plan.id };
    if (answer === "ended") return this.#inDoubt(plan, streams);
    if (answer === "beyond") {
      this.state = await outbox.halt(`the stream of ${table} holds fewer rows than were acknowledged`);
      this.#alarm("rows-missing", about, "the warehouse lost acknowledged rows; the sink stopped");
      return "halted";
    }
    // Nobody appended this plan before, and yet its place is taken: the database was put back to an earlier state.
    // Or the stream is gone, with the table perhaps. Either way what follows goes to new streams, and rows that were
    // sent already are recognised by their ids.
    this.#alarm(answer === "exists" ? "outbox-rewound" : "stream-lost", about, "new streams were begun");
    await this.#end(streams);
    this.#made = undefined;
    this.state = await outbox.setStreams(null);
    return "worked";
  }

  /** The plan cannot be repeated to the byte. Its streams are ended, and their own count says whether it was delivered. */
  async #inDoubt(plan: DeliveryPlan, streams: SinkStreams): Promise<Step> {
    const { cell, outbox, warehouse } = this.#deps;
    const { events, plans } = await this.#end(streams);
    this.#made = undefined;
    const delivered = events !== undefined && events >= plan.rows.offset + plan.rows.rows;
    this.#alarm(
      "delivery-in-doubt",
      { plan: plan.id, delivered },
      "a delivery could not be repeated; its stream was asked",
    );
    if (!delivered) {
      this.state = await outbox.setStreams(null);
      return "worked";
    }
    if (plans !== undefined && plans < plan.control.offset + plan.control.rows) {
      // The plan stays until its control row is there; asked again, the ended streams give the same counts.
      const stream = await warehouse.createStream(tables.plans);
      await warehouse.append(tables.plans, stream, 0, controlRow(cell, plan));
    }
    this.state = await outbox.finish(plan, true);
    return "worked";
  }

  async #restored(state: SinkState): Promise<Step> {
    this.#alarm(
      "database-restored",
      { from: state.database },
      "the outbox came back from a backup; new streams",
    );
    if (state.streams !== null) await this.#end(state.streams);
    this.#made = undefined;
    this.state = await this.#deps.outbox.setStreams(null);
    return "worked";
  }

  /** The release before kept this state: what it planned is settled by its streams, which lead to a table of its own. */
  async #takeOver(state: SinkState): Promise<Step> {
    if (state.plan !== null) return this.#deliver(state, state.plan);
    if (state.streams !== null) await this.#end(state.streams);
    this.state = await this.#deps.outbox.setStreams(null);
    return "worked";
  }

  async #newStreams(): Promise<SinkStreams> {
    const { warehouse, outbox } = this.#deps;
    const made = async (table: keyof SinkStreams) => ({
      name: await warehouse.createStream(tables[table]),
      offset: 0,
    });
    const streams = { marks: await made("marks"), events: await made("events"), plans: await made("plans") };
    this.state = await outbox.setStreams(streams);
    return streams;
  }

  /** End some streams, if the lease is still ours; how many rows each holds. */
  async #end(streams: SinkStreams): Promise<Record<keyof SinkStreams, number | undefined>> {
    const { warehouse, outbox } = this.#deps;
    // One that slept through its lease may find its place taken, by its successor: that is no reason to end anything.
    await outbox.confirm();
    return {
      marks: await warehouse.finalize(streams.marks.name),
      events: await warehouse.finalize(streams.events.name),
      plans: await warehouse.finalize(streams.plans.name),
    };
  }

  #alarm(alarm: Alarm, about: object, text: string): void {
    const { logger, database } = this.#deps;
    logger.error({ alarm, database, ...about }, text);
  }
}
