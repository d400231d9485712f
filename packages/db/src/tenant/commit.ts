import type { DocumentData, DocumentReference, DocumentSnapshot, Firestore } from "@google-cloud/firestore";
import { type DomainEvent, outboxLimits } from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { encodePage, outboxRef } from "../outbox/page.ts";
import { claimRef } from "../paths.ts";
import { admit } from "./admit.ts";
import type { TenantBinding } from "./types.ts";

/** What a write makes of one document: new content, or nothing. */
export interface Change {
  ref: DocumentReference;
  data: DocumentData | null;
  /** True when there must be no such document yet; if there is one the write fails with ALREADY_EXISTS (6). */
  create?: boolean;
}

/** An event before it is numbered and stamped with who, where and when. */
export type EventBody = Pick<DomainEvent, "type" | "itemId" | "changed" | "before" | "after" | "deltas">;

export interface Outcome<R> {
  changes: readonly Change[];
  events: readonly EventBody[];
  /** What the receipt remembers besides the writeId. */
  receipt: DocumentData;
  result: R;
}

/**
 * One change of a tenant's data. `recall` and `apply` run inside the transaction, perhaps several times: they are
 * pure, and all that must not differ between two runs (ids, writeId, time) was made before.
 */
export interface TenantWrite<R> {
  /** 20 letters or digits, new for each write: by it a rerun knows its own work. */
  writeId: string;
  at: Date;
  /** How its events came about. */
  via: DomainEvent["via"];
  /** Where this write leaves its trace: an idempotency record, or the cursor of a chunk. */
  receipt: DocumentReference;
  /** True when nobody but this write can leave that receipt: then its first run does not look for it. */
  ownReceipt: boolean;
  /** What else must be read, in this order. */
  reads: readonly DocumentReference[];
  /**
   * The result that an existing receipt stands for. `own` is true when this very write left it. Undefined: it
   * stands for nothing (any more), go on. May throw to refuse.
   */
  recall(receipt: DocumentSnapshot, own: boolean): R | undefined;
  /**
   * From the documents (in the order of `reads`), and the receipt if it was looked for, to what is written. May
   * throw to refuse; then nothing is.
   */
  apply(
    documents: readonly DocumentSnapshot[],
    receipt: DocumentSnapshot | undefined,
  ): Outcome<R> | Promise<Outcome<R>>;
}

export interface CommitResult<R> {
  result: R;
  /** True when an earlier request had left the receipt. */
  replayed: boolean;
}

/** As long as `operationTimeoutMs` allows; many writers of one item take turns. */
const maxAttempts = 12;

/**
 * The only way to change a tenant's data: one transaction that checks the claim, makes the change, and writes
 * receipt and outbox page with it.
 *
 * When the reply to a commit is lost the client library runs the callback again, not knowing whether it was
 * made. It was, if the receipt then holds our own writeId; and if so that is the answer, whatever has become of
 * the claim since. Rejects with the problems of `admit`, with `database-unavailable`, or what `recall` and
 * `apply` throw.
 */
export async function commitTenantWrite<R>(
  firestore: Firestore,
  binding: TenantBinding,
  write: TenantWrite<R>,
): Promise<CommitResult<R>> {
  const copy = Math.floor(Math.random() * binding.claimCopies);
  const claim = claimRef(firestore, binding.tenantId, copy);
  const page = outboxRef(firestore);

  let runs = 0;

  return withinDeadline(operationTimeoutMs, (expired) =>
    firestore.runTransaction(
      async (tx) => {
        const look = !write.ownReceipt || runs++ > 0;
        const wanted = [claim, ...write.reads, ...(look ? [write.receipt] : [])];
        const [claimed, ...documents] = await tx.getAll(...wanted);
        const receipt = look ? documents.pop() : undefined;
        if (claimed === undefined) throw new Error("Firestore left out a document");

        const own = receipt?.exists === true && receipt.get("writeId") === write.writeId;
        if (!own) admit(claimed, binding);
        const recalled = receipt?.exists ? write.recall(receipt, own) : undefined;
        if (recalled !== undefined) return { result: recalled, replayed: !own };
        if (own) throw new Error("a write did not know its own receipt");

        const outcome = await write.apply(documents, receipt);
        // Nobody waits for the answer any more: do not begin a commit that could only surprise.
        if (expired()) throw new Error("the time for this write has passed");
        for (const { ref, data, create } of outcome.changes) {
          if (data === null) tx.delete(ref);
          else if (create === true) tx.create(ref, data);
          else tx.set(ref, data);
        }
        tx.set(write.receipt, { ...outcome.receipt, writeId: write.writeId });
        if (outcome.events.length > 0) {
          tx.create(page, encodePage(stamp(binding, write, outcome.events), write.at));
        }
        return { result: outcome.result, replayed: false };
      },
      { maxAttempts },
    ),
  );
}

function stamp(
  binding: TenantBinding,
  write: Pick<TenantWrite<unknown>, "writeId" | "at" | "via">,
  events: readonly EventBody[],
) {
  if (events.length > outboxLimits.events) throw new Error("too many events for one page");
  const { tenantId, epoch, actor } = binding;
  const occurredAt = write.at.toISOString();
  return {
    writeId: write.writeId,
    tenantId,
    epoch,
    events: events.map((event, n) => ({
      ...event,
      id: `${write.writeId}.${n}`,
      tenantId,
      epoch,
      actor: { ...actor },
      via: write.via,
      occurredAt,
    })),
  };
}
