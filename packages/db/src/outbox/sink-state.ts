import type { DocumentReference, DocumentSnapshot, Firestore } from "@google-cloud/firestore";
import { z } from "zod";

const count = z.int().min(0);
const part = z.strictObject({ offset: count, rows: count });

/** A delivery, written down before it is made and never changed: whoever comes next repeats it to the byte. */
export const deliveryPlan = z.strictObject({
  /** 22 random characters. */
  id: z.string(),
  /** UTC day on which it was planned. */
  planned: z.iso.date(),
  /** Version of the anonymiser that made its rows. */
  version: z.int().min(1),
  /** Names of the outbox pages in it. */
  pages: z.array(z.string()).min(1),
  events: count,
  /** Which of its people's marks are sent, a bit each (base64url): the others were sent before. */
  firstSeen: z.string(),
  /** Where each table's rows go in its stream. */
  marks: part,
  rows: part,
  control: part,
  /** SHA-256 (hex) of the rows. */
  digest: z.string(),
});
export type DeliveryPlan = z.infer<typeof deliveryPlan>;

const stream = z.strictObject({ name: z.string(), offset: count });
/** The write streams of the three tables, with the offset that comes next in each. */
export const sinkStreams = z.strictObject({ marks: stream, events: stream, plans: stream });
export type SinkStreams = z.infer<typeof sinkStreams>;

export const sinkState = z.strictObject({
  lease: z.strictObject({ holder: z.string(), until: z.iso.datetime() }).nullable(),
  /** `project/database` that this state was written in: another one means that it came back from a backup. */
  database: z.string(),
  streams: sinkStreams.nullable(),
  plan: deliveryPlan.nullable(),
  /** The delivery that was finished last. */
  last: z.string().nullable(),
  /** Name of the page behind which the next look at the outbox begins. */
  cursor: z.string().nullable(),
  /** Set when it stopped for a person to look. */
  halted: z.strictObject({ reason: z.string(), at: z.iso.datetime() }).nullable(),
  delivered: z.strictObject({ plans: count, events: count, eventRows: count, markRows: count }),
  setAside: count,
});
export type SinkState = z.infer<typeof sinkState>;

export const sinkStateRef = (db: Firestore): DocumentReference => db.doc("analytics/sink");

export function sinkStateOf(snapshot: DocumentSnapshot, database: string): SinkState {
  if (!snapshot.exists) {
    const delivered = { plans: 0, events: 0, eventRows: 0, markRows: 0 };
    const nothing = { lease: null, streams: null, plan: null, last: null, cursor: null, halted: null };
    return { ...nothing, database, delivered, setAside: 0 };
  }
  const json: unknown = snapshot.get("json");
  return sinkState.parse(JSON.parse(String(json)));
}

/** As one text without an index: its lists would otherwise be indexed name by name. */
export const sinkDocument = (state: SinkState): { json: string } => ({
  json: JSON.stringify(sinkState.parse(state)),
});
