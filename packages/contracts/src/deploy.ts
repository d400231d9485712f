import { z } from "zod";
import { artefactRef } from "./artefact.ts";
import { cellId } from "./ids.ts";

const at = z.iso.datetime();
const person = z.string().min(1).max(200);
const text = z.string().max(2_000);

/** Who works on something now. Whoever comes after `until` may take it over. */
export const lease = z.strictObject({ token: z.uuid(), who: person, from: person, until: at });
export type Lease = z.infer<typeof lease>;

/** What a cell runs, as the deploys of it know; `cellDeploys/<cell>` of the deploy database. */
export const cellDeploys = z.strictObject({
  cellId,
  serving: artefactRef.optional().describe("What the last deploy that ended well put there"),
  previous: artefactRef.optional().describe("What ran before that one: where a rollback goes"),
  older: z
    .array(artefactRef)
    .max(10)
    .optional()
    .describe("What ran before, newest first, without what was gone back from"),
  lease: lease.optional(),
  deployId: z.uuid().optional().describe("The deploy that is under way, or was when its process died"),
});
export type CellDeploys = z.infer<typeof cellDeploys>;

export const deployOutcome = z.enum(["running", "done", "rolled-back", "failed", "abandoned"]);

/** One deploy of one cell, step by step; `deploys/<id>` of the deploy database. */
export const deployRecord = z.strictObject({
  id: z.uuid(),
  cellId,
  target: text.describe("Where: local or cloud, and its address"),
  artefact: artefactRef,
  previous: artefactRef.optional().describe("What a failure goes back to"),
  rolloutId: z.uuid().optional(),
  who: person,
  from: person,
  startedAt: at,
  endedAt: at.optional(),
  outcome: deployOutcome,
  reason: text.optional(),
  timeline: z.array(z.strictObject({ at, step: z.string().max(40), text })).max(200),
});
export type DeployRecord = z.infer<typeof deployRecord>;

/** One artefact on its way through the fleet, wave by wave; `rollouts/<id>` of the deploy database. */
export const rolloutRecord = z.strictObject({
  id: z.uuid(),
  target: text,
  artefact: artefactRef,
  who: person,
  from: person,
  startedAt: at,
  endedAt: at.optional(),
  outcome: z.enum(["running", "done", "stopped"]),
  reason: text.optional(),
  canary: z.enum(["waiting", "passed", "failed", "left-out"]),
  cells: z.array(
    z.strictObject({
      cellId,
      wave: z.int().min(0),
      state: z.enum(["waiting", "deploying", "done", "rolled-back", "failed"]),
      deployId: z.uuid().optional(),
    }),
  ),
  lease: lease.optional(),
});
export type RolloutRecord = z.infer<typeof rolloutRecord>;
