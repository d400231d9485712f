/** One step of bringing up a fleet. It checks first whether it is done, so that all may be run again at any time. */
export interface Step {
  name: string;
  /** Whether there is nothing left to do. */
  done: () => Promise<boolean>;
  /** The same at a glance, where looking closely takes minutes. */
  glance?: () => Promise<boolean>;
  /**
   * Does it; `say` tells people how far it is. Gives why it was left out, where it cannot be done. A step without it is done by a
   * person.
   */
  work?: (say: (line: string) => void) => Promise<string | undefined | void>;
  /** The command, or what a person must do, by which it is mended. */
  mend: string;
  /** Later steps can be done before it is. */
  isLate?: boolean;
}

export type Ended = "was done" | "done" | "left out" | "by hand" | "failed" | "waits";
export interface StepResult {
  name: string;
  ended: Ended;
  /** What is to be done, or why it failed. */
  note?: string;
}

/**
 * Runs waves of steps, each when the one before is done; what is in one wave runs side by side. Ends before the first wave that
 * waits for a person or for what failed; what is late stops nobody. Never rejects.
 */
export async function runSteps(
  waves: readonly (readonly Step[])[],
  say: (line: string) => void,
): Promise<StepResult[]> {
  const results: StepResult[] = [];
  let isStopped = false;
  for (const wave of waves) {
    const ended = await Promise.all(
      wave.map(async (step): Promise<StepResult> => {
        if (isStopped) return { name: step.name, ended: "waits" };
        const result = await runStep(step, (line) => say(`${step.name}: ${line}`));
        say(`${step.name}: ${result.ended}${result.note === undefined ? "" : `: ${result.note}`}`);
        return result;
      }),
    );
    results.push(...ended);
    isStopped ||= ended.some(
      (r, n) => r.ended === "failed" || (r.ended === "by hand" && wave[n]?.isLate !== true),
    );
  }
  return results;
}

async function runStep(step: Step, say: (line: string) => void): Promise<StepResult> {
  const { name } = step;
  try {
    if (await step.done()) return { name, ended: "was done" };
    if (step.work === undefined) return { name, ended: "by hand", note: step.mend };
    const why = await step.work(say);
    return typeof why !== "string" ? { name, ended: "done" } : { name, ended: "left out", note: why };
  } catch (error) {
    return { name, ended: "failed", note: error instanceof Error ? error.message : String(error) };
  }
}

/** Looks at each step and changes nothing: what is not done, with what mends it. */
export function examineSteps(
  waves: readonly (readonly Step[])[],
): Promise<{ name: string; ok: boolean; found: string; advice: string }[]> {
  return Promise.all(
    waves.flat().map(async ({ name, done, glance = done, mend }) => {
      try {
        const ok = await glance();
        return { name, ok, found: ok ? "done" : "not done", advice: mend };
      } catch (error) {
        return {
          name,
          ok: false,
          found: error instanceof Error ? error.message : String(error),
          advice: mend,
        };
      }
    }),
  );
}
