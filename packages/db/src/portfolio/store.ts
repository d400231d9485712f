import type {
  DocumentData,
  DocumentReference,
  DocumentSnapshot,
  Firestore,
  QueryDocumentSnapshot,
} from "@google-cloud/firestore";
import { category, item, itemId, portfolio, replicaStatus } from "@proveniq/contracts";
import { z } from "zod";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { readBody } from "../items/document.ts";
import { hashOf } from "../items/ids.ts";
import { listQuery } from "../items/list.ts";
import { itemsRef, portfolioRef } from "../paths.ts";
import type { DatabasePool } from "../pool.ts";
import type { ItemPosition, TenantBinding } from "../tenant/types.ts";
import { millisOf } from "../times.ts";
import type { PortfolioItem, PortfolioRecord, PortfolioRepository, ScannedItem } from "./types.ts";

const counted = z.object({
  category,
  condition: item.shape.condition,
  marketKey: item.shape.marketKey,
  insuredValue: item.shape.insuredValue,
});
const fields = ["category", "marketKey", "createdAt", "body"];

const countedOf = (data: DocumentData): PortfolioItem => counted.parse({ ...readBody(data), ...data });

const time = z.iso.datetime();
const record: z.ZodType<PortfolioRecord> = z.strictObject({
  result: portfolio.optional(),
  scan: z
    .strictObject({
      holder: z.string(),
      until: time,
      startedAt: time,
      replica: replicaStatus,
      position: z.strictObject({ id: itemId, createdAtMs: z.int().optional() }).optional(),
      counted: z.int(),
      sums: z.string(),
    })
    .optional(),
});

/** More than any book: the query of a page, without its end. */
const noLimit = 2_000_000_000;

/** Portfolios of one binding, in Firestore. The record is derived from the items, so no claim guards it. */
export class PortfolioStore implements PortfolioRepository {
  readonly #pool: DatabasePool;
  readonly #binding: Readonly<TenantBinding>;

  constructor(pool: DatabasePool, binding: Readonly<TenantBinding>) {
    this.#pool = pool;
    this.#binding = binding;
  }

  async first(limit: number): Promise<PortfolioItem[]> {
    return withinDeadline(operationTimeoutMs, async () => {
      // The query asks for one more than its limit.
      const { docs } = await this.#query(await this.#open(), limit - 1, undefined).get();
      return docs.map((doc) => countedOf(doc.data()));
    });
  }

  async *scan(after: ItemPosition | undefined): AsyncGenerator<ScannedItem> {
    const newestFirst = this.#binding.ownerId !== undefined;
    for await (const chunk of this.#query(await this.#open(), noLimit, after).stream()) {
      const doc = chunk as unknown as QueryDocumentSnapshot;
      const position = {
        id: doc.id,
        ...(newestFirst ? { createdAtMs: millisOf(doc.get("createdAt")) } : {}),
      };
      yield { ...countedOf(doc.data()), position };
    }
  }

  async read(): Promise<PortfolioRecord | undefined> {
    return withinDeadline(operationTimeoutMs, async () =>
      recordIn(await this.#ref(await this.#open()).get()),
    );
  }

  async change(
    step: Parameters<PortfolioRepository["change"]>[0],
  ): Promise<PortfolioRecord | null | undefined> {
    return withinDeadline(operationTimeoutMs, async () => {
      const db = await this.#open();
      const ref = this.#ref(db);
      return db.runTransaction(async (tx) => {
        const snapshot = await tx.get(ref);
        const next = step(recordIn(snapshot), snapshot.readTime.toMillis());
        if (next === null) tx.delete(ref);
        else if (next !== undefined) tx.set(ref, { record: Buffer.from(JSON.stringify(record.parse(next))) });
        return next;
      });
    });
  }

  #query(db: Firestore, limit: number, after: ItemPosition | undefined) {
    const { tenantId, ownerId } = this.#binding;
    const items = itemsRef(db, tenantId);
    return listQuery(items, {
      limit,
      ...(ownerId === undefined ? {} : { ownerId }),
      ...(after && { after }),
    }).select(...fields);
  }

  #ref(db: Firestore): DocumentReference {
    const { tenantId, ownerId } = this.#binding;
    return portfolioRef(db, tenantId, ownerId === undefined ? "book" : hashOf("owner", ownerId));
  }

  #open(): Promise<Firestore> {
    return this.#pool.open(this.#binding.databaseId);
  }
}

/** Undefined when there is none, or one of another version: it is made anew. */
export function recordIn(snapshot: DocumentSnapshot): PortfolioRecord | undefined {
  const bytes: unknown = snapshot.get("record");
  if (!(bytes instanceof Uint8Array)) return undefined;
  const parsed = record.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  return parsed.success ? parsed.data : undefined;
}
