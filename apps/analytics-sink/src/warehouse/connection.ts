import type { Duplex } from "node:stream";
import type { WarehouseTable } from "@proveniq/contracts/warehouse";
import { rowDescriptor } from "../encode/index.ts";
import type { Appended } from "./port.ts";

/** The part of an AppendRowsResponse that is looked at. */
export interface AppendAnswer {
  error?: { code?: number | null; message?: string | null; details?: { value?: unknown }[] | null } | null;
  rowErrors?: { message?: string | null }[] | null;
}

const codes = { notFound: 5, alreadyExists: 6, outOfRange: 11 } as const;
/** StorageErrorCode.STREAM_FINALIZED. */
const finalized = 6;

/** What an answer's status means. Throws when it does not say whether the rows are there, or refuses them. */
export function meaningOf({ error, rowErrors }: AppendAnswer): Appended {
  if (error === null || error === undefined || error.code === 0) return "appended";
  if (error.code === codes.notFound) return "gone";
  if (error.code === codes.alreadyExists) return "exists";
  if (error.code === codes.outOfRange) return "beyond";
  if (storageCode(error.details?.[0]?.value) === finalized) return "ended";
  throw new Error(`the warehouse refused rows (${error.code}): ${rowErrors?.[0]?.message ?? error.message}`);
}

/** Field 1 of a StorageError message; undefined when there is none. */
function storageCode(value: unknown): number | undefined {
  return value instanceof Uint8Array && value[0] === 8 ? value[1] : undefined;
}

/** One write stream's connection. Answers come in the order of the requests. */
export class AppendConnection {
  readonly #call: Duplex;
  readonly #table: WarehouseTable;
  readonly #waiting: { resolve(answer: Appended): void; reject(error: Error): void }[] = [];
  #described = false;
  #broken: Error | undefined;

  constructor(call: Duplex, table: WarehouseTable) {
    this.#call = call;
    this.#table = table;
    call.on("data", (answer: AppendAnswer) => {
      const next = this.#waiting.shift();
      try {
        next?.resolve(meaningOf(answer));
      } catch (error) {
        next?.reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    call.on("error", (error: Error & { code?: number }) => this.#fail(error));
    call.on("end", () => this.#fail(new Error("the warehouse ended the connection")));
    call.on("close", () => this.#fail(new Error("the connection to the warehouse closed")));
  }

  /** True once it can take no more. */
  get broken(): boolean {
    return this.#broken !== undefined;
  }

  /** Send rows to `offset` (none for a default stream). Rejects after `timeoutMs`; then nobody knows whether they are there. */
  async append(
    stream: string,
    offset: number | undefined,
    rows: readonly Buffer[],
    timeoutMs: number,
  ): Promise<Appended> {
    if (this.#broken !== undefined) throw this.#broken;
    const answer = new Promise<Appended>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    const schema = this.#described ? {} : { writerSchema: { protoDescriptor: rowDescriptor(this.#table) } };
    this.#described = true;
    const place = offset === undefined ? {} : { offset: { value: offset } };
    this.#call.write({
      writeStream: stream,
      ...place,
      protoRows: { ...schema, rows: { serializedRows: rows } },
    });
    const timer = setTimeout(() => {
      this.#fail(new Error(`the warehouse did not answer within ${timeoutMs} ms`));
      this.#call.destroy();
    }, timeoutMs);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#broken ??= new Error("the connection was closed");
    this.#call.end();
  }

  #fail(error: Error & { code?: number }): void {
    this.#broken ??= error;
    for (const waiting of this.#waiting.splice(0)) {
      // A missing stream may also be told by ending the call.
      if (error.code === codes.notFound) waiting.resolve("gone");
      else waiting.reject(error);
    }
  }
}
