import type { SeenJob } from "./job.ts";
import { number } from "./progress.ts";

/** What an import would do, for people: one line for each count that is not zero. */
export function planText({ plan, counts, scope }: SeenJob): string {
  if (plan === undefined) return "The cell does not say what would change; it may be of a release before.";
  const lines: [number, string][] = [
    [plan.created, "would be created"],
    [plan.changed, "would be changed"],
    [plan.unchanged, "are there and the same"],
    [plan.deleted - plan.gone, "would be deleted, as the file says of them"],
    [
      plan.gone,
      `would be deleted, as the file no longer names them (of ${number(plan.ofSource)} of its source)`,
    ],
    [plan.absent, "are to be deleted and not there"],
    [plan.superseded, "name what a later row decides about"],
    [plan.failed, "are refused"],
    [counts.blank, "are blank"],
  ];
  const shown = lines.filter(([n]) => n > 0);
  const width = Math.max(...shown.map(([n]) => number(n).length), 1);
  const head = `${number(counts.rows)} rows, ${scope === "full" ? "the whole of their source" : "a part of their source"}:`;
  return [head, ...shown.map(([n, what]) => `  ${number(n).padStart(width)} ${what}`)].join("\n");
}
