import type { DocumentReference, DocumentSnapshot, Firestore } from "@google-cloud/firestore";
import { type CompleteInput, ProblemError, type RowReport } from "@proveniq/contracts";
import { fromDocument } from "../items/document.ts";
import { itemsRef } from "../paths.ts";
import type { TenantBinding } from "../tenant/types.ts";
import { chunksOf } from "./chunks.ts";
import { closed, requireFewErrors } from "./close.ts";
import {
  importDocument,
  importExpiry,
  readImport,
  readState,
  reportDocuments,
  stateDocument,
} from "./documents.ts";
import { guarded } from "./guarded.ts";
import { duplicates, idRanges, namedKeys, type RowPlace } from "./named.ts";
import { chunkRef, importsStateRef } from "./paths.ts";

import { countGone, sweep } from "./sweep.ts";
import type { ChunkRecord, Finishing, FinishStep, ImportRecord } from "./types.ts";

export interface FinishContext {
  firestore: Firestore;
  binding: TenantBinding;
  job: DocumentReference;
  id: string;
}

/** The most duplicates that the report lists one by one; all are counted. */
const mostListed = 1_000;

/**
 * End an import: check that all has arrived, that the highest row decided about each thing, and, for a full one, delete
 * what the file does not name. Throws `import-incomplete` (chunks to put, again perhaps), `too-many-deletes`,
 * `import-closed`.
 */
export async function finishImport(
  context: FinishContext,
  complete: CompleteInput,
  step: FinishStep,
): Promise<Finishing> {
  let record = await readRecord(context);
  if (record.state === "completed") return { record, ended: true };
  if (record.state === "open") {
    const chunks = await chunksOf(context.job);
    requireWhole(chunks, complete);
    await requireFewErrors(context, record, chunks);
    const repeated = await settleDuplicates(context, record, complete);
    const gone = await requireFewDeletes(context, record, complete, step);
    if (gone === undefined) return { record, ended: false };
    record = await enter(context, "finishing", { deleted: gone, duplicates: repeated });
  }
  if (record.state !== "finishing") throw closed(record);
  try {
    requireWhole(await chunksOf(context.job), complete);
  } catch (error) {
    // A chunk came in between the first look and the closing of the gate.
    await enter(context, "open", undefined);
    throw error;
  }
  const { input, finish = { deleted: 0, duplicates: 0 } } = record;
  if (input.scope === "partial" || input.dryRun || finish.deleted === 0) {
    return { record: await enter(context, "completed", finish), ended: true };
  }
  const { deleted, ended } = await sweep(
    { ...context, record, rows: complete.rows, chunks: complete.chunks },
    step,
  );
  if (!ended) return { record, ended };
  return { record: await enter(context, "completed", { ...finish, deleted }), ended };
}

async function readRecord({ job }: FinishContext): Promise<ImportRecord> {
  const record = readImport(await job.get());
  if (record === undefined) throw new ProblemError("not-found", "There is no such import.");
  return record;
}

/** All chunks, from 1 without a gap, each done, their rows one after the other, as many as were sent. */
function requireWhole(chunks: readonly ChunkRecord[], { chunks: sent, rows }: CompleteInput): void {
  const errors: { path: string; message: string }[] = [];
  const fault = (chunk: number, message: string) => errors.push({ path: `/chunks/${chunk}`, message });
  const known = new Map(chunks.map((c) => [c.chunk, c]));
  let next = 1;
  for (let n = 1; n <= sent && errors.length < 100; n++) {
    const chunk = known.get(n);
    if (chunk === undefined) {
      fault(n, "is missing");
      next = 0;
    } else {
      if (chunk.done < chunk.rows || chunk.again.length > 0) fault(n, "is not done: put it again");
      if (next > 0 && chunk.firstRow !== next)
        fault(n, `begins with row ${chunk.firstRow}, expected ${next}`);
      next = chunk.firstRow + chunk.rows;
    }
  }
  for (const { chunk } of chunks)
    if (chunk > sent && errors.length < 100) fault(chunk, "is more than were announced");
  const arrived = chunks.reduce((sum, c) => sum + c.rows, 0);
  if (errors.length === 0 && arrived === rows) return;
  const detail = arrived === rows ? undefined : `${arrived} of ${rows} rows have arrived.`;
  throw new ProblemError("import-incomplete", detail, { errors });
}

/**
 * Find things that several rows name. The highest row must have decided; where it found nothing to change, and an earlier row
 * was decided after it, it must be decided again: its chunk is asked for once more.
 */
async function settleDuplicates(
  context: FinishContext,
  record: ImportRecord,
  { chunks, rows }: CompleteInput,
): Promise<number> {
  const whole = { job: context.job, chunks, rows };
  const listed: Overruled[] = [];
  const again = new Map<number, number[]>();
  let count = 0;
  for (const range of idRanges(rows)) {
    const keys = (await namedKeys(whole, range)).repeated();
    const found = await duplicates(whole, keys);
    for (const places of found.values()) {
      const winner = places.at(-1);
      if (winner === undefined) continue;
      count += places.length - 1;
      for (const place of places.slice(0, -1)) if (listed.length < mostListed) listed.push({ place, winner });
    }
    if (!record.input.dryRun) await findUnsettled(context, record, found, again);
  }
  await reportDuplicates(context, record, listed);
  if (again.size === 0) return count;
  for (const [chunk, places] of again) {
    await chunkRef(context.job, chunk).update({ again: places });
  }
  throw new ProblemError(
    "import-incomplete",
    "Rows that name the same thing arrived out of their order. Put these chunks once more, then complete.",
    { errors: [...again.keys()].map((n) => ({ path: `/chunks/${n}`, message: "is needed once more" })) },
  );
}

/** A row, and a later one that names the same thing. */
interface Overruled {
  place: RowPlace;
  winner: RowPlace;
}

/** Add to `again` the rows, by chunk, that should have decided about their thing and did not. */
async function findUnsettled(
  { firestore, binding }: FinishContext,
  record: ImportRecord,
  found: ReadonlyMap<string, RowPlace[]>,
  again: Map<number, number[]>,
): Promise<void> {
  const entries = [...found].flatMap(([id, places]) => {
    const winner = places.at(-1);
    return winner === undefined ? [] : [{ id, winner }];
  });
  for (let n = 0; n < entries.length; n += 300) {
    const part = entries.slice(n, n + 300);
    const refs = part.map(({ id }) => itemsRef(firestore, binding.tenantId).doc(id));
    const items = await firestore.getAll(...refs);
    for (const [i, { winner }] of part.entries()) {
      const imported = items[i] === undefined ? undefined : fromDocument(items[i])?.imported;
      if (imported?.job !== record.seq || imported.row >= winner.rank) continue;
      again.set(winner.chunk, [...(again.get(winner.chunk) ?? []), winner.at]);
    }
  }
}

async function reportDuplicates(
  { firestore, job }: FinishContext,
  record: ImportRecord,
  losers: readonly Overruled[],
): Promise<void> {
  const reports = losers.map(
    ({ place, winner }): RowReport => ({
      row: place.row,
      chunk: place.chunk,
      refused: false,
      notes: [
        {
          level: "warning",
          code: "duplicate",
          field: "/externalId",
          message: `Names the same thing as row ${winner.row}, which decides.`,
        },
      ],
    }),
  );
  const batch = firestore.batch();
  for (const [n, data] of reportDocuments(reports, importExpiry(record.createdAt)).entries()) {
    batch.set(job.collection("reports").doc(`duplicates-${String(n).padStart(3, "0")}`), data);
  }
  await batch.commit();
}

/**
 * How many a full import will delete; undefined when the time was over before all were looked at. Throws
 * `too-many-deletes` when that needs to be confirmed and is not.
 */
async function requireFewDeletes(
  context: FinishContext,
  record: ImportRecord,
  { chunks, rows, confirmDeletes }: CompleteInput,
  step: FinishStep,
): Promise<number | undefined> {
  if (record.input.scope === "partial") return 0;
  const counted = await countGone({ ...context, record, rows, chunks }, step);
  if (counted === undefined) return undefined;
  const { total, gone } = counted;
  if (record.input.dryRun || gone === 0 || confirmDeletes === gone) return gone;
  const nameless = (await chunksOf(context.job)).reduce((sum, c) => sum + c.nameless, 0);
  const share = (100 * gone) / total;
  if (share <= record.input.maxDeletePercent && nameless === 0) return gone;
  const why =
    nameless > 0
      ? `${nameless} rows could not be read, so what they name would count as gone. `
      : `That is more than ${record.input.maxDeletePercent} %. `;
  throw new ProblemError(
    "too-many-deletes",
    `The file does not name ${gone} of the ${total} things of this source (${share.toFixed(1)} %). ${why}` +
      `If they are gone, complete again with confirmDeletes: ${gone}.`,
  );
}

/** Change the import's state, and what the tenant's other imports know of it, in one transaction. */
async function enter(
  { firestore, binding, job, id }: FinishContext,
  state: "open" | "finishing" | "completed",
  finish: ImportRecord["finish"],
): Promise<ImportRecord> {
  const stateRef = importsStateRef(firestore, binding.tenantId);
  return guarded(firestore, binding, [job, stateRef], async ([jobDoc, stateDoc], tx) => {
    const record = readImport(jobDoc);
    if (record === undefined) throw new ProblemError("not-found", "There is no such import.");
    if (record.state === "completed") return record;
    if (record.state !== "open" && record.state !== "finishing") {
      throw closed(record);
    }
    const all = readState(stateDoc);
    const older = await olderOfSource(tx, all, record, job, state);
    const { finish: _, ...rest } = record;
    const next: ImportRecord = {
      ...rest,
      state,
      updatedAt: new Date(),
      ...(finish === undefined ? {} : { finish }),
    };
    const open = { ...all.open };
    if (state === "completed") delete open[id];
    else open[id] = { seq: record.seq, source: record.input.source, finishing: state === "finishing" };
    for (const other of older) {
      delete open[other.id];
      tx.set(
        job.parent.doc(other.id),
        importDocument({ ...other, state: "superseded", updatedAt: new Date() }),
      );
    }
    tx.set(job, importDocument(next));
    tx.set(stateRef, stateDocument({ ...all, open }));
    return next;
  });
}

/** A full import is the whole of its source: older ones of that source can say nothing more. */
async function olderOfSource(
  tx: { getAll(...refs: DocumentReference[]): Promise<DocumentSnapshot[]> },
  all: ReturnType<typeof readState>,
  record: ImportRecord,
  job: DocumentReference,
  state: string,
): Promise<ImportRecord[]> {
  if (record.input.scope === "partial" || record.input.dryRun || state !== "finishing") return [];
  const refs = Object.entries(all.open)
    .filter(([, other]) => other.source === record.input.source && other.seq < record.seq)
    .map(([id]) => job.parent.doc(id));
  if (refs.length === 0) return [];
  return (await tx.getAll(...refs)).flatMap((doc) => readImport(doc) ?? []);
}
