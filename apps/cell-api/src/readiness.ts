import { z } from "zod";
import type { Dependency } from "./deps.ts";

/** Answers of a readiness check live this long, so that probes cannot become load. */
const cacheMs = 1_000;
const timeoutMs = 1_000;

export const readiness = z.strictObject({
  status: z.enum(["ready", "degraded", "not-ready"]),
  dependencies: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(["ready", "degraded", "unavailable"]),
      detail: z.string().optional().describe("What is wrong with it"),
      ms: z.int().min(0).describe("How long it took to answer, or to give up"),
    }),
  ),
  traffic: z
    .strictObject({
      seconds: z.int().describe("Over how long"),
      requests: z.int().min(0).describe("Of tenants, at this process"),
      failed: z.int().min(0).describe("Of them answered with 500 or above"),
    })
    .describe("How requests fared lately"),
});
/** As it is told: strangers get the status alone, and never `degraded`. */
export const toldReadiness = readiness
  .partial({ dependencies: true, traffic: true })
  .meta({ id: "Readiness", description: "To the fleet; others get the status alone" });
export type Readiness = z.infer<typeof readiness>;
/** What a round of asking finds out. */
export type Dependencies = Omit<Readiness, "traffic">;

/**
 * A function that asks every dependency at once, each for at most one second. Calls share one round at a time
 * and its answer for a second. `now` is in milliseconds.
 */
export function readinessCheck(
  dependencies: readonly Dependency[],
  now: () => number,
): () => Promise<Dependencies> {
  let latest: { at: number; answer: Promise<Dependencies> } | undefined;
  return () => {
    if (latest === undefined || now() - latest.at >= cacheMs) {
      const round = { at: now(), answer: ask(dependencies, now) };
      latest = round;
      void round.answer.then(() => {
        round.at = now();
      });
    }
    return latest.answer;
  };
}

async function ask(dependencies: readonly Dependency[], now: () => number): Promise<Dependencies> {
  const states = await Promise.all(
    dependencies.map(async (dependency) => {
      const { name } = dependency;
      const started = now();
      const found = await bounded(dependency).then(
        (wrong) =>
          wrong === undefined
            ? { state: "ready" as const }
            : { state: "degraded" as const, detail: wrong.degraded },
        () => ({ state: "unavailable" as const }),
      );
      return { name, ...found, ms: Math.max(0, Math.round(now() - started)) };
    }),
  );
  const down = dependencies.some((d, n) => d.optional !== true && states[n]?.state === "unavailable");
  const whole = states.every((s) => s.state === "ready");
  return { status: down ? "not-ready" : whole ? "ready" : "degraded", dependencies: states };
}

/** Whatever the check itself does about its time limit, this one holds. */
async function bounded(dependency: Dependency): ReturnType<Dependency["check"]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("too late")), timeoutMs);
  });
  try {
    return await Promise.race([dependency.check(timeoutMs), late]);
  } finally {
    clearTimeout(timer);
  }
}
