import type { DocumentReference, DocumentSnapshot, Firestore } from "@google-cloud/firestore";
import {
  addCounts,
  type CompleteInput,
  type ImportCounts,
  type ImportInput,
  importWarnings,
  noCounts,
  ProblemError,
  type RowReport,
  type UndoReport,
  undoReport,
} from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { autoId } from "../items/ids.ts";
import { recallResponse, receiptData, receiptId } from "../items/receipt.ts";
import { receiptRef } from "../paths.ts";
import type { DatabasePool } from "../pool.ts";
import { commitTenantWrite } from "../tenant/commit.ts";
import type { StoredResponse, TenantBinding, WriteOptions, WriteResult } from "../tenant/types.ts";
import { chunksOf, oldChunksOf } from "./chunks.ts";
import { closeImport, requireFew } from "./close.ts";
import { completeImport, drive } from "./complete.ts";
import {
  days,
  endedBefore,
  idleDays,
  importDocument,
  linesOf,
  openDays,
  readImport,
  readRamp,
  readReports,
  readState,
  stateDocument,
} from "./documents.ts";
import { guarded } from "./guarded.ts";
import { receiptCounts } from "./page.ts";
import { checkOfReport, importRef, importsRef, importsStateRef, progressRef, rampRef } from "./paths.ts";
import { noImport, readQueueOf } from "./queue.ts";
import { bucketsFor } from "./ranges.ts";
import { findChunk, stageChunk } from "./stage.ts";
import { sweepUp } from "./sweep-up.ts";
import type {
  ChunkIdentity,
  ImportPosition,
  ImportProgress,
  ImportRecord,
  ImportRepository,
  ReadChunk,
  StagedChunk,
  Stand,
  Step,
} from "./types.ts";
import { beginUndo } from "./undo.ts";
import type { Place } from "./work.ts";
import { readWritten, sumOf } from "./write.ts";

/** Imports of one tenant that may be open at once. */
const mostOpen = 50;
/** How long cancelling an import may take to delete what it received; the rest goes by its TTL. */
const sweepMs = 5_000;

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
    options: Pick<WriteOptions, "idempotency"> & {
      respond: (record: ImportRecord) => StoredResponse;
      buckets?: number | undefined;
    },
  ): Promise<WriteResult> {
    const firestore = await this.#open();
    const { tenantId, actor } = this.#binding;
    const stamp = { writeId: autoId(), at: new Date() };
    const id = autoId();
    const stateRef = importsStateRef(firestore, tenantId);
    const gone = await this.#forgotten(firestore);
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
        const live = Object.entries(state.open).filter(([other]) => !gone.has(other));
        if (live.length >= mostOpen) {
          throw new ProblemError(
            "too-many-requests",
            `${mostOpen} imports are open. Complete or cancel some.`,
            { headers: { "retry-after": "60" } },
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
          engine: {
            phase: "receiving",
            buckets: options.buckets ?? bucketsFor(input.expectedRows),
            check: 0,
            ranges: 0,
          },
        };
        const open = { ...Object.fromEntries(live), [id]: { seq, source: input.source, finishing: false } };
        const response = options.respond(record);
        return {
          changes: [
            { ref: importsRef(firestore, tenantId).doc(id), data: importDocument(record) },
            { ref: stateRef, data: stateDocument({ seq, open }) },
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
      const place = await this.#place(id);
      const record = readImport(await place.job.get());
      if (record === undefined) throw noImport();
      return this.#unlessForgotten(place, record);
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
      const found = docs.slice(0, limit).flatMap((doc) => readImport(doc) ?? []);
      const records = await Promise.all(
        found.map(async (record) => this.#unlessForgotten(await this.#place(record.id), record)),
      );
      const last = records.at(-1);
      const more = docs.length > limit && last !== undefined;
      return { records, ...(more ? { next: { createdAtMs: last.createdAt.getTime(), id: last.id } } : {}) };
    });
  }

  async progress(record: ImportRecord): Promise<ImportProgress> {
    return withinDeadline(operationTimeoutMs, async () => {
      const place = await this.#place(record.id);
      const { firestore, job } = place;
      const { engine } = record;
      const [staged, ramp, queue] = await Promise.all([
        endedBefore(record) ? oldChunksOf(job) : chunksOf(job),
        rampRef(firestore, this.#binding.tenantId).get(),
        engine.phase === "waiting" ? readQueueOf(place) : undefined,
      ]);
      const received = sumOf(staged.map((c) => c.counts));
      const first = queue?.entries[0]?.id;
      const known = {
        chunks: staged,
        rampStartedAt: readRamp(ramp)?.startedAt,
        ...(first === undefined || first === record.id ? {} : { waitingFor: first }),
      };
      if (engine.phase === "ended" && engine.counts !== undefined && record.state === "completed")
        return { ...known, counts: engine.counts };
      if (engine.phase === "writing") {
        const written = readWritten(await progressRef(job).get());
        const done = sumOf(
          written?.check === engine.check ? [...Object.values(written.done), written.partial] : [],
        );
        return { ...known, counts: soFar(received, done), rate: written?.rate ?? 0 };
      }
      if (engine.wrote !== true) return { ...known, counts: received };
      const { docs } = await job.collection("pages").select("counts").get();
      return { ...known, counts: soFar(received, sumOf(docs.map(receiptCounts))) };
    });
  }

  async findChunk(id: string, identity: ChunkIdentity): Promise<StagedChunk | undefined> {
    const place = await this.#place(id);
    return withinDeadline(operationTimeoutMs, () => findChunk(place, identity));
  }

  async stage(record: ImportRecord, identity: ChunkIdentity, read: ReadChunk): Promise<StagedChunk> {
    return stageChunk(await this.#place(record.id), record, identity, read);
  }

  async keepRamp(now: Date, restMs: number): Promise<Date> {
    const firestore = await this.#open();
    const ref = rampRef(firestore, this.#binding.tenantId);
    return guarded(firestore, this.#binding, [ref], ([snapshot], tx) => {
      const ramp = readRamp(snapshot);
      const rested = ramp === undefined || now.getTime() - ramp.lastAt.getTime() > restMs;
      const startedAt = rested ? now : ramp.startedAt;
      tx.set(ref, { startedAt, lastAt: now });
      return startedAt;
    });
  }

  async cancel(id: string): Promise<ImportRecord> {
    const place = await this.#place(id);
    const record = await closeImport(place, "cancelled");
    const until = Date.now() + sweepMs;
    await sweepUp(place, record, await chunksOf(place.job), () => Date.now() > until);
    return record;
  }

  async requireFewErrors(record: ImportRecord): Promise<number> {
    const place = await this.#place(record.id);
    return withinDeadline(operationTimeoutMs, async () => {
      const failed = (await chunksOf(place.job)).reduce((sum, c) => sum + c.counts.failed, 0);
      await requireFew(place, record, failed);
      return failed;
    });
  }

  async complete(id: string, complete: CompleteInput, step: Step): Promise<Stand> {
    return completeImport(await this.#place(id), complete, step);
  }

  async undo(id: string, step: Step): Promise<Stand> {
    const place = await this.#place(id);
    const { counts } = await this.progress(await this.get(id));
    const record = await beginUndo(place, counts);
    if (record.engine.undo?.state === "done") return { record, ended: true };
    const { record: now } = await drive(place, step);
    return { record: now, ended: now.engine.undo?.state === "done" };
  }

  async *reports({ id, engine }: ImportRecord): AsyncGenerator<RowReport> {
    const { job } = await this.#place(id);
    for await (const doc of job.collection("reports").orderBy("__name__").stream()) {
      const snapshot = doc as unknown as DocumentSnapshot;
      const check = checkOfReport(snapshot.id);
      if (check === undefined || check === engine.check) yield* readReports(snapshot);
    }
  }

  async *undoReports(id: string): AsyncGenerator<UndoReport> {
    const { job } = await this.#place(id);
    for await (const doc of job.collection("undoReports").orderBy("__name__").stream()) {
      for (const line of linesOf(doc as unknown as DocumentSnapshot)) yield undoReport.parse(line);
    }
  }

  /** Open imports that are gone, or that received nothing for so long that nobody will complete them: those are ended. */
  async #forgotten(firestore: Firestore): Promise<ReadonlySet<string>> {
    const { tenantId } = this.#binding;
    const ids = Object.keys(readState(await importsStateRef(firestore, tenantId).get()).open);
    if (ids.length < mostOpen) return new Set();
    const documents = await firestore.getAll(...ids.map((id) => importsRef(firestore, tenantId).doc(id)));
    const gone = new Set<string>();
    for (const document of documents) {
      const record = readImport(document);
      if (record !== undefined) {
        const now = await this.#unlessForgotten(await this.#place(document.id), record);
        if (now.engine.phase !== "ended") continue;
      }
      gone.add(document.id);
    }
    return gone;
  }

  async #unlessForgotten(place: Place, record: ImportRecord): Promise<ImportRecord> {
    if (record.engine.phase !== "receiving") return record;
    const now = Date.now();
    if (now - record.updatedAt.getTime() > days(idleDays))
      return closeImport(place, "cancelled", `no chunk came for ${idleDays} days`);
    if (now - record.createdAt.getTime() > days(openDays))
      return closeImport(place, "cancelled", `it was begun ${openDays} days ago`);
    return record;
  }

  #open(): Promise<Firestore> {
    if (this.#binding.ownerId !== undefined)
      throw new ProblemError("forbidden", "Imports are for partners and staff.");
    return this.#pool.open(this.#binding.databaseId);
  }

  async #place(id: string): Promise<Place> {
    const firestore = await this.#open();
    const job: DocumentReference | undefined = importRef(firestore, this.#binding.tenantId, id);
    if (job === undefined) throw noImport();
    return { firestore, binding: this.#binding, job, id };
  }
}

/** What was decided of what was received; the rest is valid. */
function soFar(received: ImportCounts, done: ImportCounts): ImportCounts {
  const decided = done.created + done.changed + done.unchanged + done.absent + done.superseded + done.failed;
  return { ...addCounts(addCounts(noCounts, received), done), valid: Math.max(0, received.valid - decided) };
}
