import { z } from "zod";
import { principalKind } from "./credential.ts";
import { epoch, itemId, ownerId, tenantId } from "./ids.ts";
import { category, condition, itemInput, marketKey } from "./item.ts";
import { money } from "./money.ts";

/** The part of an item that the domain counts by. No free text, so a page of 500 events stays small. */
export const itemFacts = z.strictObject({
  ownerId,
  category,
  condition: condition.optional(),
  marketKey: marketKey.optional(),
  insuredValue: money.optional(),
});
export type ItemFacts = z.infer<typeof itemFacts>;

/** What changed in the sums: the count of items, and insured value by currency (zero entries left out). */
export const deltas = z.strictObject({
  items: z.int().min(-1).max(1),
  insuredMinor: z.record(z.string().regex(/^[A-Z]{3}$/), z.int()),
});

/** One change of one item, written in the same transaction as the change itself. */
export const domainEvent = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9]{20}\.[0-9]{1,3}$/)
      .describe("writeId.n: the same however often it is read"),
    type: z.enum(["item.created", "item.updated", "item.deleted"]),
    tenantId,
    epoch,
    itemId,
    actor: z.strictObject({ kind: principalKind, id: z.string().min(1).max(200) }),
    via: z.enum(["api", "import"]).describe("A request of its own, or a row of an import"),
    occurredAt: z.iso.datetime(),
    changed: z.array(itemInput.keyof()).describe("Names of the changed fields, sorted"),
    before: itemFacts.nullable(),
    after: itemFacts.nullable(),
    deltas,
  })
  .meta({ id: "DomainEvent" });
export type DomainEvent = z.infer<typeof domainEvent>;

/** Bounds of one outbox page. */
export const outboxLimits = { events: 500, bytes: 900 * 1024 } as const;

/** What a page of the outbox holds once its blob is read. */
export const outboxPage = z.strictObject({
  writeId: z.string(),
  tenantId,
  epoch,
  events: z.array(domainEvent).min(1).max(outboxLimits.events),
});
export type OutboxPage = z.infer<typeof outboxPage>;
