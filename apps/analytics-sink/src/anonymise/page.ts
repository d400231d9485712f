import { money } from "@proveniq/contracts";
import { z } from "zod";

/**
 * A page as the anonymiser reads it: only what it needs, and without the closed lists. A newer cell may write a
 * category that this code does not know yet; that must become `other`, not stop the outbox.
 */
const facts = z.object({
  ownerId: z.string().min(1),
  category: z.string(),
  marketKey: z.string().optional(),
  insuredValue: z.object({ amountMinor: money.shape.amountMinor, currency: z.string() }).optional(),
});
export type Facts = z.infer<typeof facts>;

const change = z
  .object({
    id: z.string().min(1),
    type: z.string(),
    tenantId: z.string().min(1),
    occurredAt: z.iso.datetime(),
    via: z.string().optional(),
    before: facts.nullable(),
    after: facts.nullable(),
  })
  .refine((c) => c.before !== null || c.after !== null, { error: "has neither before nor after" });
export type Change = z.infer<typeof change>;

const page = z.object({ events: z.array(change).min(1) });

/** Why a page was set aside. Never holds what was in it: these words reach logs and alarms. */
export class UnreadablePage extends Error {
  override name = "UnreadablePage";
}

/** The changes in a page's bytes. Throws `UnreadablePage` with the place of the fault, never its value. */
export function readPage(bytes: Uint8Array): Change[] {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new UnreadablePage("is not JSON");
  }
  const read = page.safeParse(json);
  if (read.success) return read.data.events;
  const [first] = read.error.issues;
  throw new UnreadablePage(`${first?.path.map(place).join("/") ?? ""}: ${first?.code ?? "invalid"}`);
}

const ours = new Set(
  "events id type tenantId occurredAt via before after ownerId category marketKey insuredValue amountMinor currency".split(
    " ",
  ),
);
/** A key of somebody else's making could hold anything. */
const place = (key: PropertyKey): string =>
  typeof key === "number" || ours.has(String(key)) ? String(key) : "?";
