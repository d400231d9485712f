import { importJob } from "@proveniq/contracts";
import type { z } from "zod";

/** An import as a cell tells of it; one of the release before does not name its phase. */
export const seenJob = importJob.partial({ phase: true });
export type SeenJob = z.infer<typeof seenJob>;
