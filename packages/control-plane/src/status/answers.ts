import { z } from "zod";
import type { Outbox, ServiceReadiness } from "./types.ts";

/** Answers of cells, as far as an operator needs them: another release may say more. */
const service = z.object({
  status: z.string(),
  dependencies: z.array(z.object({ name: z.string(), state: z.string(), detail: z.string().optional() })),
  traffic: z.object({ seconds: z.number(), requests: z.number(), failed: z.number() }).optional(),
});

export function describeService(answer: unknown): ServiceReadiness {
  const { status, dependencies, traffic } = told(service, answer);
  const named = (state: string) => dependencies.filter((d) => d.state === state);
  return {
    status,
    unavailable: named("unavailable").map((d) => d.name),
    degraded: named("degraded").map((d) => `${d.name}: ${d.detail ?? "degraded"}`),
    traffic,
  };
}

const cell = z.object({ artefactDigest: z.string() });

export function artefactDigest(answer: unknown): string {
  return told(cell, answer).artefactDigest;
}

const sink = z.object({
  outboxes: z.array(
    z.object({
      database: z.string(),
      state: z.string(),
      reason: z.string().optional(),
      waitingPages: z.number(),
      oldestSeconds: z.number(),
      setAside: z.number(),
    }),
  ),
});

export function describeSink(answer: unknown): Outbox[] {
  return told(sink, answer).outboxes;
}

function told<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new Error("answers something else than a cell would");
  return parsed.data;
}
