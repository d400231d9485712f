import type { BigQuery } from "@google-cloud/bigquery";
import { residency } from "@proveniq/contracts";
import { rawDataset } from "@proveniq/contracts/warehouse";
import { countOutbox, listAside, readSinkState } from "@proveniq/db/outbox/operations";
import type { CellOutboxes } from "./outboxes.ts";
import { asRecords, queryWarehouse } from "./query.ts";

/** What a cell sent beside what the warehouse has of it. */
export interface Reconciled {
  cell: string;
  /** Events that the cell's sinks say they delivered, and that the rows in the warehouse count. */
  delivered: number;
  arrived: number;
  /** Rows promised by the deliveries' control rows, rows there, and different ones among them. */
  plannedRows: number;
  arrivedRows: number;
  distinctRows: number;
  /** Events that wait, and pages that were set aside. */
  waiting: number;
  setAside: number;
  /** Why a sink of the cell stopped; empty when none did. */
  halted: string[];
  /** What does not add up; empty when all does. */
  faults: string[];
}

/**
 * Compare what each cell delivered with what arrived. Sinks go on meanwhile, so the cells are read before and after the
 * warehouse: a figure between the two is right.
 */
export async function reconcileWarehouse(
  bigquery: BigQuery,
  project: string,
  cells: readonly CellOutboxes[],
): Promise<Reconciled[]> {
  const before = await Promise.all(cells.map(deliveredBy));
  const arrived = new Map<unknown, Record<string, unknown>>();
  for (const place of residency.options) {
    const sql = `SELECT * FROM \`${project}.${rawDataset(place)}.deliveries\``;
    for (const row of asRecords(await queryWarehouse(bigquery, sql))) arrived.set(row["cell"], row);
  }
  const after = await Promise.all(cells.map(deliveredBy));
  return Promise.all(
    cells.map(async (cell, n) => {
      const row = arrived.get(cell.cell) ?? {};
      const figure = (name: string) => Number(row[name] ?? 0);
      const [from, to] = [before[n]?.events ?? 0, after[n]?.events ?? 0];
      const waits = await waitingIn(cell);
      const seen = {
        arrived: figure("arrived_events"),
        plannedRows: figure("planned_rows"),
        arrivedRows: figure("arrived_rows"),
        distinctRows: figure("distinct_rows"),
      };
      // A delivery that is being made has its rows there before its pages are gone.
      const faults = [
        ...(seen.arrived < from ? [`${from - seen.arrived} delivered events are not in the warehouse`] : []),
        ...(seen.arrived > to + waits.events ? [`${seen.arrived - to} events more than were delivered`] : []),
        ...(seen.arrivedRows < seen.plannedRows
          ? [`${seen.plannedRows - seen.arrivedRows} planned rows are missing`]
          : []),
        ...(seen.arrivedRows > seen.distinctRows
          ? [`${seen.arrivedRows - seen.distinctRows} rows are there twice`]
          : []),
      ];
      const halted = after[n]?.halted ?? [];
      return {
        cell: cell.cell,
        delivered: to,
        ...seen,
        waiting: waits.events,
        setAside: waits.setAside,
        halted,
        faults,
      };
    }),
  );
}

async function deliveredBy({
  pool,
  databases,
  project,
}: CellOutboxes): Promise<{ events: number; halted: string[] }> {
  const states = await Promise.all(
    databases.map(async (id) => readSinkState(await pool.open(id), `${project}/${id}`)),
  );
  return {
    events: states.reduce((sum, s) => sum + s.delivered.events, 0),
    halted: states.flatMap((s) => (s.halted === null ? [] : [s.halted.reason])),
  };
}

async function waitingIn({ pool, databases }: CellOutboxes): Promise<{ events: number; setAside: number }> {
  const all = await Promise.all(
    databases.map(async (id) => {
      const db = await pool.open(id);
      const [{ events }, aside] = await Promise.all([countOutbox(db), listAside(db)]);
      return { events, setAside: aside.length };
    }),
  );
  return {
    events: all.reduce((sum, a) => sum + a.events, 0),
    setAside: all.reduce((sum, a) => sum + a.setAside, 0),
  };
}
