import { z } from "zod";

/** How large the pieces of an import's work are. Only tests have reason to set them: with small ones a few rows are many pieces. */
export const importLimitsConfig = z.strictObject({
  /** Things in one transaction. */
  pageRows: z.int().min(1).max(500).optional(),
  /** How long one call works, in milliseconds. */
  callMs: z.int().min(0).max(25_000).optional(),
  /** Into how many parts each chunk's rows go. */
  buckets: z.int().min(1).max(32).optional(),
  /** Transactions under way at once. */
  inFlight: z.int().min(1).max(64).optional(),
  /** So many things are got by name, without weighing whether a pass over the book is cheaper. */
  few: z.int().min(0).max(1_000).optional(),
});
export type ImportLimitsConfig = z.infer<typeof importLimitsConfig>;
