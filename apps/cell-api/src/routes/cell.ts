import { cellId, residency } from "@proveniq/contracts";
import { z } from "zod";
import type { Route } from "./route.ts";

/** Which cell answers, and what runs in it. */
export const cellDescription = z
  .strictObject({
    id: cellId,
    region: z.string(),
    residency,
    artefactDigest: z
      .string()
      .describe("SHA-256 of the artefact that runs, the same in every cell of a release"),
    commit: z.string().describe("Git commit that it was built from"),
    uptimeSeconds: z.int().min(0),
  })
  .meta({ id: "Cell" });

export const describeCell: Route = {
  method: "get",
  path: "/cell",
  scope: "cell",
  operationId: "describeCell",
  summary: "Which cell answers",
  description: "Needs no credential; under /t/{tenant} it is the cell that serves that tenant.",
  answers: { 200: { description: "The cell", schema: cellDescription } },
  problems: [],
  handle(c, { cell, now }) {
    const { startedAt, ...described } = cell;
    const uptimeSeconds = Math.max(0, Math.floor((now() - startedAt) / 1000));
    return c.json({ ...described, uptimeSeconds } satisfies z.infer<typeof cellDescription>);
  },
};
