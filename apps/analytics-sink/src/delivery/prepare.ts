import { randomBytes } from "node:crypto";
import { type PlanRow, warehouseTable } from "@proveniq/contracts/warehouse";
import type { DeliveryPlan } from "@proveniq/db/outbox/sink";
import { anonymise, anonymiserVersion, type Change, daysOf, keyExpired } from "../anonymise/index.ts";
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
  marks: warehouseTable("raw", "marks"),
  events: warehouseTable("raw", "events"),
  plans: warehouseTable("raw", "plans"),
  heartbeats: warehouseTable("raw", "heartbeats"),
} as const;

/** Changes as rows, dated and keyed as of the day they were planned. Undefined when a key of theirs is gone. */
export async function encodeChanges(
  cell: SinkCell,
  keys: DayKeys,
  changes: readonly Change[],
  planned: string,
  today: string,
  sends: SendsMark,
): Promise<EncodedRows | undefined> {
  const days = daysOf(changes, planned);
  if (days.some((day) => keyExpired(day, today))) return undefined;
  const known = new Map(await Promise.all(days.map(async (day) => [day, await keys.key(day)] as const)));
  const { id, region, consumers } = cell;
  const rows = anonymise(changes, { cell: id, region, consumers, planned, keys: known });
  const answers = rows.actors.map(sends);
  const sent = rows.actors.filter((_, n) => answers[n]);
  const marks = encodeRows(tables.marks, [...sent, ...rows.tenants]);
  const events = encodeRows(tables.events, rows.events);
  return { marks, events, digest: digestRows(events, marks), firstSeen: toBitmap(answers), sent };
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
