import { randomBytes } from "node:crypto";
import { type PlanRow, warehouseTable } from "@proveniq/contracts/warehouse";
import type { DeliveryPlan } from "@proveniq/db/outbox/sink";
import {
  anonymise,
  anonymiserVersion,
  type Change,
  countedDay,
  daysBetween,
  daysOf,
  keyExpired,
  type Person,
  personOf,
} from "../anonymise/index.ts";
import { digestRows, encodeRows } from "../encode/index.ts";
import type { DayKeys } from "../keys/index.ts";
import { toBitmap } from "./bitmap.ts";

/** The cell that a sink works for. */
export interface SinkCell {
  id: string;
  region: PlanRow["region"];
  /** The tenant of the cell's own consumers. */
  consumers?: string | undefined;
}

/** Who is known since when: kept in the tenants' own database, and never sent. */
export interface Ages {
  /** Of the nth of these people the day of the first change; that of `day` for one who is new, which is written down. */
  since(people: readonly (Person & { day: string })[]): Promise<string[]>;
  /** People count from this many days after their first change. */
  minimumDays: number;
}

/** The rows of one delivery, as bytes. */
export interface EncodedRows {
  marks: Buffer[];
  events: Buffer[];
  digest: string;
  /** Which people's marks are among them, as a plan keeps it. */
  firstSeen: string;
  /** Those people's marks. */
  sent: { day: string; mark: string }[];
}

/** Whether the mark of a person, the nth of a delivery, is sent with it. */
export type SendsMark = (mark: { day: string; mark: string }, at: number) => boolean;

export const tables = {
  marks: warehouseTable("raw", "people"),
  events: warehouseTable("raw", "events"),
  plans: warehouseTable("raw", "plans"),
  heartbeats: warehouseTable("raw", "heartbeats"),
} as const;

/** Changes as rows, dated and keyed as of the day they were planned. Undefined when a key of theirs is gone. */
export async function encodeChanges(
  cell: SinkCell,
  keys: DayKeys,
  ages: Ages,
  changes: readonly Change[],
  planned: string,
  today: string,
  sends: SendsMark,
): Promise<EncodedRows | undefined> {
  const days = daysOf(changes, planned);
  if (days.some((day) => keyExpired(day, today))) return undefined;
  const known = new Map(await Promise.all(days.map(async (day) => [day, await keys.key(day)] as const)));
  const { id, region, consumers } = cell;
  const counts = await whoCounts(ages, changes, planned);
  const rows = anonymise(changes, { cell: id, region, consumers, planned, keys: known, counts });
  const answers = rows.people.map(sends);
  const sent = rows.people.filter((_, n) => answers[n]);
  const marks = encodeRows(tables.marks, sent);
  const events = encodeRows(tables.events, rows.events);
  return { marks, events, digest: digestRows(events, marks), firstSeen: toBitmap(answers), sent };
}

/** Who among those who changed something has been known for long enough. */
async function whoCounts(ages: Ages, changes: readonly Change[], planned: string) {
  const nameOf = ({ tenantId, ownerId }: Person) => `${tenantId}\0${ownerId}`;
  const first = new Map<string, Person & { day: string }>();
  for (const change of changes) {
    const person = personOf(change);
    const day = countedDay(change.occurredAt, planned);
    const known = first.get(nameOf(person));
    if (known === undefined || day < known.day) first.set(nameOf(person), { ...person, day });
  }
  const days = await ages.since([...first.values()]);
  const since = new Map([...first.keys()].map((name, n) => [name, days[n]]));
  return (person: Person, day: string): boolean => {
    const from = since.get(nameOf(person));
    return from !== undefined && daysBetween(from, day) >= ages.minimumDays;
  };
}

/** The control row of a delivery: nothing that is not in its plan. */
export function controlRow({ id, region }: SinkCell, plan: DeliveryPlan): Buffer[] {
  const row: PlanRow = {
    plan_id: plan.id,
    day: plan.planned,
    cell: id,
    region,
    events: plan.events,
    event_rows: plan.rows.rows,
    mark_rows: plan.marks.rows,
    digest: plan.digest,
    version: plan.version,
  };
  return encodeRows(tables.plans, [row]);
}

/** A plan for some pages, at the offsets that come next. */
export function makePlan(
  pages: readonly string[],
  events: number,
  encoded: EncodedRows,
  planned: string,
  next: { marks: number; events: number; plans: number },
): DeliveryPlan {
  return {
    id: randomBytes(16).toString("base64url"),
    planned,
    version: anonymiserVersion,
    pages: [...pages],
    events,
    firstSeen: encoded.firstSeen,
    marks: { offset: next.marks, rows: encoded.marks.length },
    rows: { offset: next.events, rows: encoded.events.length },
    control: { offset: next.plans, rows: 1 },
    digest: encoded.digest,
  };
}
