import type { DocumentReference, DocumentSnapshot, Firestore } from "@google-cloud/firestore";
import {
  addCounts,
  type CompleteInput,
  type ImportInput,
  importWarnings,
  noCounts,
  ProblemError,
  type RowReport,
} from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { autoId } from "../items/ids.ts";
import { recallResponse, receiptData, receiptId } from "../items/receipt.ts";
import { receiptRef } from "../paths.ts";
import type { DatabasePool } from "../pool.ts";
import { commitTenantWrite } from "../tenant/commit.ts";
import type { StoredResponse, TenantBinding, WriteOptions, WriteResult } from "../tenant/types.ts";
import { chunksOf } from "./chunks.ts";
import { closed, closeImport, requireFewErrors } from "./close.ts";
import {
  chunkFields,
  importDocument,
  readChunk,
  readImport,
  readReports,
  readState,
  stateDocument,
} from "./documents.ts";
import { type FinishContext, finishImport } from "./finish.ts";
import { guarded } from "./guarded.ts";
import { commitPage, ImportClosed, otherBytes } from "./page.ts";
import { chunkRef, importRef, importsRef, importsStateRef } from "./paths.ts";
import type {
  ChunkIdentity,
  ChunkRecord,
  Finishing,
  FinishStep,
  Governed,
  ImportPosition,
  ImportProgress,
  ImportRecord,
  ImportRepository,
  OpenChunk,
  Page,
  PageResult,
} from "./types.ts";

/** Imports of one tenant that may be open at once. */
const mostOpen = 50;

/** Imports of one tenant, in Firestore. */
export class ImportStore implements ImportRepository {
  readonly #pool: DatabasePool;
  readonly #binding: Readonly<TenantBinding>;

  constructor(pool: DatabasePool, binding: Readonly<TenantBinding>) {
    this.#pool = pool;
    this.#binding = binding;
  }

  async create(
    input: ImportInput,
    options: Pick<WriteOptions, "idempotency"> & { respond: (record: ImportRecord) => StoredResponse },
  ): Promise<WriteResult> {
    const firestore = await this.#open();
    const { tenantId, actor } = this.#binding;
    const stamp = { writeId: autoId(), at: new Date() };
    const id = autoId();
    const stateRef = importsStateRef(firestore, tenantId);
    const { result, replayed } = await commitTenantWrite(firestore, this.#binding, {
      ...stamp,
      via: "api",
      receipt: receiptRef(firestore, tenantId, receiptId(actor, options, stamp.writeId)),
      ownReceipt: options.idempotency === undefined,
      reads: [stateRef],
      recall: (receipt, own) => recallResponse(receipt, own, options),
      apply: ([snapshot]) => {
        if (snapshot === undefined) throw new Error("Firestore left out the imports' state");
        const state = readState(snapshot);
        if (Object.keys(state.open).length >= mostOpen) {
          throw new ProblemError(
            "too-many-requests",
            `${mostOpen} imports are open. Complete or cancel some.`,
            {
              headers: { "retry-after": "60" },
            },
          );
        }
        const seq = state.seq + 1;
        const record: ImportRecord = {
          id,
          input,
          seq,
          state: "open",
          createdAt: stamp.at,
          updatedAt: stamp.at,
          warnings: importWarnings(input),
        };
        const open = { ...state.open, [id]: { seq, source: input.source, finishing: false } };
        const response = options.respond(record);
        return {
          changes: [
            { ref: importsRef(firestore, tenantId).doc(id), data: importDocument(record) },
            { ref: stateRef, data: stateDocument({ ...state, seq, open }) },
          ],
          events: [],
          receipt: receiptData(options, response, stamp.at),
          result: response,
        };
      },
    });
    return { response: result, replayed };
  }

  async get(id: string): Promise<ImportRecord> {
    return withinDeadline(operationTimeoutMs, async () => {
      const record = readImport(await (await this.#job(id)).get());
      if (record === undefined) throw noImport();
      return record;
    });
  }

  async list(
    limit: number,
    after?: ImportPosition,
  ): Promise<{ records: ImportRecord[]; next?: ImportPosition }> {
    return withinDeadline(operationTimeoutMs, async () => {
      const all = importsRef(await this.#open(), this.#binding.tenantId);
      const ordered = all.orderBy("createdAt", "desc").orderBy("__name__", "desc");
      const from = after === undefined ? ordered : ordered.startAfter(new Date(after.createdAtMs), after.id);
      const { docs } = await from.limit(limit + 1).get();
      const records = docs.slice(0, limit).flatMap((doc) => readImport(doc) ?? []);
      const last = records.at(-1);
      const more = docs.length > limit && last !== undefined;
      return { records, ...(more ? { next: { createdAtMs: last.createdAt.getTime(), id: last.id } } : {}) };
    });
  }

  async progress(id: string): Promise<ImportProgress> {
    return withinDeadline(operationTimeoutMs, async () => {
      const firestore = await this.#open();
      const [chunks, state] = await Promise.all([
        chunksOf(await this.#job(id)),
        importsStateRef(firestore, this.#binding.tenantId).get(),
      ]);
      const counts = chunks.reduce((sum, c) => addCounts(sum, c.counts), { ...noCounts });
      return { chunks, counts, ramp: readState(state).ramp };
    });
  }

  async openChunk(id: string, identity: ChunkIdentity): Promise<OpenChunk> {
    return withinDeadline(operationTimeoutMs, async () => {
      const firestore = await this.#open();
      const job = await this.#job(id);
      const [jobDoc, stateDoc, chunkDoc] = await firestore.getAll(
        job,
        importsStateRef(firestore, this.#binding.tenantId),
        chunkRef(job, identity.chunk),
        { fieldMask: [...jobFields, ...stateFields, ...chunkFields] },
      );
      const record = jobDoc && readImport(jobDoc);
      if (record === undefined || stateDoc === undefined || chunkDoc === undefined) throw noImport();
      const chunk = readChunk(chunkDoc);
      if (chunk !== undefined && !sameChunk(chunk, identity)) throw otherBytes(identity.chunk);
      const state = readState(stateDoc);
      const isDone = chunk !== undefined && chunk.done >= chunk.rows && chunk.again.length === 0;
      if (!isDone && state.open[id]?.finishing !== false) throw closed(record);
      return { record, chunk };
    });
  }

  async commitPage(
    record: ImportRecord,
    governed: Governed,
    identity: ChunkIdentity,
    page: Page,
    expect: "new" | "known",
  ): Promise<PageResult> {
    const firestore = await this.#open();
    const job = await this.#job(record.id);
    const context = { firestore, binding: this.#binding, job, record, governed, identity };
    try {
      return await commitPage(context, page, expect);
    } catch (error) {
      throw error instanceof ImportClosed ? closed(await this.get(record.id)) : error;
    }
  }

  async keepRamp(now: Date, restMs: number): Promise<Date> {
    const firestore = await this.#open();
    const ref = importsStateRef(firestore, this.#binding.tenantId);
    return guarded(firestore, this.#binding, [ref], ([snapshot], tx) => {
      const state = readState(snapshot);
      const { ramp } = state;
      const rested = ramp === undefined || now.getTime() - ramp.lastAt.getTime() > restMs;
      const startedAt = rested ? now : ramp.startedAt;
      tx.set(ref, stateDocument({ ...state, ramp: { startedAt, lastAt: now } }));
      return startedAt;
    });
  }

  async close(id: string, as: "cancelled"): Promise<ImportRecord> {
    return closeImport(await this.#context(id), as);
  }

  async requireFewErrors(record: ImportRecord): Promise<number> {
    const context = await this.#context(record.id);
    return withinDeadline(operationTimeoutMs, async () =>
      requireFewErrors(context, record, await chunksOf(context.job)),
    );
  }

  async finish(id: string, complete: CompleteInput, step: FinishStep): Promise<Finishing> {
    return finishImport(await this.#context(id), complete, step);
  }

  async *reports(id: string): AsyncGenerator<RowReport> {
    const job = await this.#job(id);
    for await (const doc of job.collection("reports").orderBy("__name__").stream()) {
      yield* readReports(doc as unknown as DocumentSnapshot);
    }
  }

  #open(): Promise<Firestore> {
    if (this.#binding.ownerId !== undefined)
      throw new ProblemError("forbidden", "Imports are for partners and staff.");
    return this.#pool.open(this.#binding.databaseId);
  }

  async #context(id: string): Promise<FinishContext> {
    return { firestore: await this.#open(), binding: this.#binding, job: await this.#job(id), id };
  }

  async #job(id: string): Promise<DocumentReference> {
    const ref = importRef(await this.#open(), this.#binding.tenantId, id);
    if (ref === undefined) throw noImport();
    return ref;
  }
}

const jobFields = ["input", "undo", "seq", "state", "createdAt", "warnings", "finish"] as const;
const stateFields = ["tombstones", "open", "ramp"] as const;

function sameChunk(chunk: ChunkRecord, { digest, firstRow }: ChunkIdentity): boolean {
  return chunk.digest === digest && chunk.firstRow === firstRow;
}

function noImport(): ProblemError {
  return new ProblemError("not-found", "There is no such import.");
}
