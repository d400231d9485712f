import type { WarehouseTable } from "@proveniq/contracts/warehouse";
import type { Appended, Warehouse } from "../warehouse/port.ts";

/** A warehouse in memory with the offsets of the real one, and its faults at the moment a test wants them. */
export class FakeWarehouse implements Warehouse {
  readonly streams = new Map<string, { table: string; rows: Buffer[]; ended: boolean }>();
  /** Calls made so far. */
  calls = 0;
  /** Called with each append: `lose` has it done and its answer lost, `fail` not done. */
  fault: (append: { table: string; offset: number }) => "lose" | "fail" | undefined = () => undefined;

  async createStream(table: WarehouseTable): Promise<string> {
    this.calls++;
    const name = `${table.name}-${this.streams.size}`;
    this.streams.set(name, { table: table.name, rows: [], ended: false });
    return Promise.resolve(name);
  }

  async append(
    table: WarehouseTable,
    name: string,
    offset: number,
    rows: readonly Buffer[],
  ): Promise<Appended> {
    this.calls++;
    const fault = this.fault({ table: table.name, offset });
    if (fault === "fail") throw new Error("UNAVAILABLE");
    const answer = this.#append(name, offset, rows);
    if (fault === "lose") throw new Error("the answer was lost");
    return Promise.resolve(answer);
  }

  async finalize(name: string): Promise<number | undefined> {
    this.calls++;
    const stream = this.streams.get(name);
    if (stream !== undefined) stream.ended = true;
    return Promise.resolve(stream?.rows.length);
  }

  appendLoosely(): Promise<void> {
    this.calls++;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Every row of a table, over all of its streams. */
  rows(table: string): string[] {
    return [...this.streams.values()]
      .filter((s) => s.table === table)
      .flatMap((s) => s.rows.map((r) => r.toString("hex")));
  }

  #append(name: string, offset: number, rows: readonly Buffer[]): Appended {
    const stream = this.streams.get(name);
    if (stream === undefined) return "gone";
    if (stream.ended) return "ended";
    if (offset < stream.rows.length) return "exists";
    if (offset > stream.rows.length) return "beyond";
    stream.rows.push(...rows);
    return "appended";
  }
}
