import type { DocumentReference, DocumentSnapshot, Firestore } from "@google-cloud/firestore";
import { faultsOf, type ItemInput, type ItemPatch, itemInput, ProblemError } from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { itemRef, itemsRef, receiptRef } from "../paths.ts";
import type { DatabasePool } from "../pool.ts";
import { commitTenantWrite } from "../tenant/commit.ts";
import type {
  ConditionalWriteOptions,
  ItemPosition,
  ItemQuery,
  ItemRepository,
  StoredItem,
  TenantBinding,
  WriteOptions,
  WriteResult,
} from "../tenant/types.ts";
import { changedFields, eventOf, patched } from "./changes.ts";
import { defined, etagOf, fromDocument, type ItemRecord, present, toDocument } from "./document.ts";
import { autoId, itemIdFor } from "./ids.ts";
import { type Found, listQuery, matching, positionOf } from "./list.ts";
import { recallResponse, receiptData, receiptId } from "./receipt.ts";

/** From the item as it is (undefined: there is none for this handle) to what it becomes. May throw to refuse. */
type Step = (before: ItemRecord | undefined, stamp: { writeId: string; at: Date }) => ItemRecord | undefined;

/** Items of one binding, in Firestore. */
export class ItemStore implements ItemRepository {
  readonly #pool: DatabasePool;
  readonly #binding: Readonly<TenantBinding>;

  constructor(pool: DatabasePool, binding: Readonly<TenantBinding>) {
    this.#pool = pool;
    this.#binding = binding;
  }

  async get(id: string): Promise<StoredItem | undefined> {
    return withinDeadline(operationTimeoutMs, async () => {
      const ref = itemRef(await this.#open(), this.#binding.tenantId, id);
      if (ref === undefined) return undefined;
      const record = this.#visible(fromDocument(await ref.get()));
      return record === undefined ? undefined : present(id, record);
    });
  }

  async list(query: ItemQuery): Promise<{ items: StoredItem[]; next?: ItemPosition }> {
    return withinDeadline(operationTimeoutMs, async () => {
      const ownerId = this.#binding.ownerId ?? query.ownerId;
      const found = await this.#find({ ...query, ...defined({ ownerId }) });
      const page = found.slice(0, query.limit);
      const last = page.at(-1);
      return {
        items: page.map(({ id, record }) => present(id, record)),
        ...(found.length > query.limit && last !== undefined
          ? { next: positionOf(last.id, last.record, ownerId !== undefined) }
          : {}),
      };
    });
  }

  /** One item more than the query's limit, if there are as many. */
  async #find(query: ItemQuery): Promise<Found[]> {
    const firestore = await this.#open();
    const items = itemsRef(firestore, this.#binding.tenantId);
    const found = (docs: readonly DocumentSnapshot[]) =>
      docs.flatMap((doc) => {
        const record = fromDocument(doc);
        return record === undefined ? [] : [{ id: doc.id, record }];
      });
    if (query.externalId === undefined) return found((await listQuery(items, query).get()).docs);
    // In the book its id is made of it; queries find people's things, and what no import brought.
    const book = items.doc(itemIdFor(query.externalId, undefined));
    const [named, queried] = await Promise.all([book.get(), listQuery(items, query).get()]);
    return matching(found([named, ...queried.docs.filter((doc) => doc.id !== book.id)]), query);
  }

  async create(input: ItemInput, options: WriteOptions): Promise<WriteResult> {
    const { ownerId: bound, tenantId } = this.#binding;
    const owned = { ...input, ownerId: bound ?? input.ownerId ?? tenantId };
    // An id that was only just made up need not be looked for.
    const [id, isNew] = [itemIdFor(input.externalId, bound), input.externalId === undefined];
    return this.#write({ id, isNew }, options, (before, { writeId, at }) => {
      if (before !== undefined) {
        throw new ProblemError("already-exists", "An item with this externalId exists already.");
      }
      return { input: owned, version: 1, writeId, createdAt: at, updatedAt: at };
    });
  }

  async patch(id: string, patch: ItemPatch, options: ConditionalWriteOptions): Promise<WriteResult> {
    return this.#write({ id }, options, (before, { writeId, at }) => {
      const present = expected(before, options);
      const input = checked(patched(present.input, patch));
      // A patch that changes nothing makes no version and no event.
      if (changedFields(present.input, input).length === 0) return present;
      return { ...present, input, version: present.version + 1, writeId, updatedAt: at };
    });
  }

  async delete(id: string, options: ConditionalWriteOptions): Promise<WriteResult> {
    return this.#write({ id }, options, (before) => {
      expected(before, options);
      return undefined;
    });
  }

  async #write(
    { id, isNew = false }: { id: string; isNew?: boolean },
    options: WriteOptions,
    step: Step,
  ): Promise<WriteResult> {
    const firestore = await this.#open();
    const { tenantId, actor } = this.#binding;
    const ref = itemRef(firestore, tenantId, id);
    if (ref === undefined) throw missing();
    const stamp = { writeId: autoId(), at: new Date() };
    const { result, replayed } = await commitTenantWrite(firestore, this.#binding, {
      ...stamp,
      via: "api",
      receipt: receiptRef(firestore, tenantId, receiptId(actor, options, stamp.writeId)),
      ownReceipt: options.idempotency === undefined,
      reads: isNew ? [] : [ref],
      recall: (receipt, own) => recallResponse(receipt, own, options),
      apply: ([snapshot]) => {
        const before = snapshot && this.#visible(fromDocument(snapshot));
        const after = step(before, stamp);
        const shown = after ?? before;
        if (shown === undefined) throw new Error("a step made nothing of nothing");
        const response = options.respond(present(id, shown));
        return {
          ...(after === before ? { changes: [], events: [] } : changeOf(ref, before, after)),
          receipt: receiptData(options, response, stamp.at),
          result: response,
        };
      },
    });
    return { response: result, replayed };
  }

  #open(): Promise<Firestore> {
    return this.#pool.open(this.#binding.databaseId);
  }

  /** Another person's item is no item. */
  #visible(record: ItemRecord | undefined): ItemRecord | undefined {
    const { ownerId } = this.#binding;
    return ownerId === undefined || record?.input.ownerId === ownerId ? record : undefined;
  }
}

function changeOf(ref: DocumentReference, before: ItemRecord | undefined, after: ItemRecord | undefined) {
  return {
    changes: [{ ref, data: after === undefined ? null : toDocument(after) }],
    events: [eventOf(ref.id, before?.input, after?.input)],
  };
}

/** The item that a conditional write is meant for, or the problem that says why not. */
function expected(before: ItemRecord | undefined, { ifMatch }: ConditionalWriteOptions): ItemRecord {
  if (before === undefined) throw missing();
  if (ifMatch !== undefined && ifMatch !== "*" && !ifMatch.includes(etagOf(before))) {
    throw new ProblemError(
      "precondition-failed",
      "The item is not as If-Match expects. Get it and decide anew.",
    );
  }
  return before;
}

/** Two valid halves can make an invalid whole: attributes added to attributes may be too many. */
function checked(input: ItemRecord["input"]): ItemRecord["input"] {
  const whole = itemInput.safeParse(input);
  if (whole.success) return input;
  const errors = faultsOf(whole.error);
  throw new ProblemError("invalid-request", "With this change the item would not be valid.", { errors });
}

function missing(): ProblemError {
  return new ProblemError("not-found", "There is no such item.");
}
