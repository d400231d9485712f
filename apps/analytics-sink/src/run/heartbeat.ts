import type { HeartbeatRow } from "@proveniq/contracts/warehouse";
import { dayOf } from "../anonymise/index.ts";
import { type SinkCell, tables } from "../delivery/prepare.ts";
import { encodeRows } from "../encode/index.ts";
import type { Warehouse } from "../warehouse/port.ts";

/** Milliseconds since 1970 of the oldest event that waits in an outbox; undefined when none does or none was seen yet. */
export type Oldest = () => number | undefined;

/** Send one sign of life. To the minute, and whether anything happened or not: its times tell nothing of events. */
export async function sendHeartbeat(
  warehouse: Warehouse,
  { id, region }: SinkCell,
  oldest: Oldest,
  now = new Date(),
): Promise<void> {
  const minute = new Date(Math.floor(now.getTime() / 60_000) * 60_000);
  const waitsSince = oldest();
  const row: HeartbeatRow = {
    day: dayOf(minute),
    cell: id,
    region,
    seen_at: minute.toISOString(),
    lag_minutes: waitsSince === undefined ? 0 : Math.max(0, Math.ceil((now.getTime() - waitsSince) / 60_000)),
  };
  await warehouse.appendLoosely(tables.heartbeats, encodeRows(tables.heartbeats, [row]));
}
