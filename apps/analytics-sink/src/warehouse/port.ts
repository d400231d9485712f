import type { WarehouseTable } from "@proveniq/contracts/warehouse";

/**
 * What became of an append. `exists`: the offset is taken; `beyond`: rows before it are missing; `gone`: there is no such
 * stream or table; `ended`: the stream was finalized.
 */
export type Appended = "appended" | "exists" | "beyond" | "gone" | "ended";

/** The warehouse as the sink needs it. Every call rejects when it is not known what became of it. */
export interface Warehouse {
  /** A new committed stream of a table; its name. */
  createStream(table: WarehouseTable): Promise<string>;
  append(table: WarehouseTable, stream: string, offset: number, rows: readonly Buffer[]): Promise<Appended>;
  /** End a stream. The rows it holds; undefined when there is no such stream. */
  finalize(stream: string): Promise<number | undefined>;
  /** Rows that may arrive twice: for signs of life. */
  appendLoosely(table: WarehouseTable, rows: readonly Buffer[]): Promise<void>;
  close(): Promise<void>;
}
