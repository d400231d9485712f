import { coveredBy, type IndexDefinitions } from "@proveniq/db/queries";
import { entriesOf } from "./entries.ts";
import { queryOf } from "./query.ts";
import { partsOf } from "./wire.ts";
import { parentOf, writesOf } from "./writes.ts";

/** What production refuses and the emulator takes: https://firebase.google.com/docs/firestore/quotas */
export const limits = {
  requestBytes: 10 * 1024 * 1024,
  documentBytes: 1024 * 1024,
  indexEntries: 40_000,
  transforms: 500,
  transactionMs: 270_000,
  idleTransactionMs: 60_000,
} as const;

/** A gRPC status: 3 INVALID_ARGUMENT, 9 FAILED_PRECONDITION. */
export interface Refusal {
  code: 3 | 9;
  message: string;
}

/** What production would say instead of doing it; undefined when it would do it. `definitions`: of that database's indexes. */
export function refusalOf(
  method: string,
  request: Buffer,
  definitions: IndexDefinitions,
): Refusal | undefined {
  const refuse = (message: string): Refusal => ({ code: 3, message });
  if (request.length > limits.requestBytes) return refuse("Request payload size exceeds the limit: 10 MiB");
  if (method === "Commit" || method === "BatchWrite") {
    for (const { path, bytes, fields, transforms } of writesOf(request)) {
      if (bytes > limits.documentBytes)
        return refuse(`The document ${path} takes ${bytes} bytes; ${limits.documentBytes} are allowed`);
      if (transforms > limits.transforms) return refuse("more than 500 transforms of one document");
      if (entriesOf(parentOf(path), fields, definitions).length > limits.indexEntries)
        return refuse(`too many index entries for ${path}; ${limits.indexEntries} are allowed`);
    }
  }
  const structured = structuredQuery(method, request);
  if (structured === undefined) return undefined;
  const query = queryOf(structured);
  if (query.unknown || coveredBy(query.shape, definitions)) return undefined;
  return { code: 9, message: `The query requires an index: ${JSON.stringify(query.shape)}` };
}

/** The query of a request that has one. */
export function structuredQuery(method: string, request: Buffer): Buffer | undefined {
  const [query] = partsOf(request, 2);
  if (method === "RunQuery") return query;
  if (method !== "RunAggregationQuery" || query === undefined) return undefined;
  return partsOf(query, 1)[0];
}

/** How long transactions have been open and unused. Times in milliseconds, of any clock. */
export class Transactions {
  readonly #open = new Map<string, { began: number; used: number }>();

  began(id: Buffer, now: number): void {
    this.#open.set(id.toString("latin1"), { began: now, used: now });
  }

  /** It is used now: what production would say when it is over; unknown ones pass. */
  use(id: Buffer, now: number): Refusal | undefined {
    const open = this.#open.get(id.toString("latin1"));
    if (open === undefined) return undefined;
    if (now - open.began > limits.transactionMs || now - open.used > limits.idleTransactionMs)
      return { code: 3, message: "The referenced transaction has expired or is no longer valid" };
    open.used = now;
    return undefined;
  }

  ended(id: Buffer): void {
    this.#open.delete(id.toString("latin1"));
  }
}
