import { z } from "zod";
import { auditRecord } from "./placement.ts";

/** What an operator may stop in a cell while it goes on serving. */
export const pausable = z.enum(["imports", "sink", "replicator"]);
export type Pausable = z.infer<typeof pausable>;

/** Why something stands still. In the cell's own database, so that the cell and its operator need nobody else for it. */
export const pause = z.strictObject({
  what: pausable,
  since: z.iso.datetime(),
  who: auditRecord.shape.who,
  from: auditRecord.shape.from,
  reason: z.string().min(1).max(300).describe("For operators; no client is shown it"),
});
export type Pause = z.infer<typeof pause>;
