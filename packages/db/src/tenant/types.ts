import type { Category, DomainEvent, Item, ItemInput, ItemPatch } from "@proveniq/contracts";
import type { ImportRepository } from "../imports/types.ts";
import type { PortfolioRepository } from "../portfolio/types.ts";

/** Who makes a change, as the cell authenticated them. Goes into events; scopes idempotency records. */
export type Actor = DomainEvent["actor"];

/**
 * What a handle is bound to. Nothing on the handle can reach outside it: not another tenant, and with an
 * `ownerId` not another person's items.
 */
export interface TenantBinding {
  tenantId: string;
  databaseId: string;
  epoch: number;
  /** `copies` of the claim: each write reads one of them at random. */
  claimCopies: number;
  actor: Actor;
  /** Set for people: they see and change only what is theirs. */
  ownerId?: string;
}

/** An item with its entity tag, such as `"3-kq2X8aLm"`: version and the write that made it, so that a deleted and recreated item never matches an old tag. */
export interface StoredItem {
  item: Item;
  etag: string;
}

/** The answer to a write, as it is sent and as it is stored for replays (24 h). */
export interface StoredResponse {
  status: number;
  headers: Record<string, string>;
  body: string | null;
}

export interface WriteOptions {
  /**
   * From an Idempotency-Key: `route` is method and template, `digest` a hash of the request's parameters. The same key with
   * another digest is a `ProblemError("idempotency-conflict")`; with the same, the stored answer comes back.
   */
  idempotency?: { route: string; key: string; digest: string };
  /** Pure: from the item as it now is (as it was, for a delete) to the answer. Stored in the same transaction. */
  respond: (stored: StoredItem) => StoredResponse;
}

export interface ConditionalWriteOptions extends WriteOptions {
  /** Entity tags of which one must match, or `*` (must exist). Otherwise `ProblemError("precondition-failed")`. */
  ifMatch?: readonly string[] | "*";
}

export interface WriteResult {
  response: StoredResponse;
  /** True when an earlier request had done it and its answer came back. */
  replayed: boolean;
}

/** Where a list goes on. Opaque to clients; the API wraps it. */
export interface ItemPosition {
  id: string;
  /** Milliseconds since 1970; only for newest-first lists. */
  createdAtMs?: number;
}

export interface ItemQuery {
  category?: Category;
  marketKey?: string;
  externalId?: string;
  /** Only for handles without an owner (partners, staff): the items of this owner, newest first. */
  ownerId?: string;
  limit: number;
  after?: ItemPosition;
}

/**
 * Items of one tenant. A missing item and one of another owner are the same: `undefined`, or
 * `ProblemError("not-found")` on a write. Lists of one owner are newest first; lists of the whole book go by id,
 * because an index on creation time alone would cap a tenant's writes at 500 a second.
 */
export interface ItemRepository {
  get(id: string): Promise<StoredItem | undefined>;
  list(query: ItemQuery): Promise<{ items: StoredItem[]; next?: ItemPosition }>;
  /** `ProblemError("already-exists")` when the externalId is taken. A bound owner wins over `input.ownerId`. */
  create(input: ItemInput, options: WriteOptions): Promise<WriteResult>;
  patch(id: string, patch: ItemPatch, options: ConditionalWriteOptions): Promise<WriteResult>;
  delete(id: string, options: ConditionalWriteOptions): Promise<WriteResult>;
}

/** All that a request handler can do with a tenant's database. */
export interface TenantDb {
  readonly binding: Readonly<TenantBinding>;
  readonly items: ItemRepository;
  readonly imports: ImportRepository;
  readonly portfolio: PortfolioRepository;
}
