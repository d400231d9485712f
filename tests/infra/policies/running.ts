import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { root } from "../terraform.ts";
import type { CellContext } from "./cell.ts";
import { type Policy, resources } from "./policy.ts";
import { proofOfCell } from "./proof.ts";

/** What the artefact exports. Read, not imported: the module starts a cell. */
const exported = [
  ...readFileSync(join(root, "apps/cell-api/src/functions.ts"), "utf8").matchAll(
    /^export const (\w+) = on/gm,
  ),
].map((m) => m[1]);

const started = z.object({
  name: z.string(),
  build_config: z.tuple([z.object({ entry_point: z.string() })]),
});
const alert = z.object({
  conditions: z.array(
    z.object({
      condition_absent: z.array(
        z.object({ aggregations: z.array(z.object({ cross_series_reducer: z.string().nullish() })) }),
      ),
    }),
  ),
});

/** What only shows once a cell runs. */
export const runningPolicies: Record<string, Policy<CellContext>> = {
  proof: proofOfCell,

  "entry points": (plan) => {
    const planned = resources(plan, "google_cloudfunctions2_function", started);
    const named = planned.map(({ values }) => values.build_config[0].entry_point);
    return [
      ...planned.flatMap(({ values: { name, build_config } }) =>
        exported.includes(build_config[0].entry_point)
          ? []
          : [`${name} starts ${build_config[0].entry_point}, which functions.ts does not export`],
      ),
      ...exported.filter((e) => e !== undefined && !named.includes(e)).map((e) => `nothing starts ${e}`),
    ];
  },

  silence: (plan) =>
    resources(plan, "google_monitoring_alert_policy", alert)
      .filter(({ values }) =>
        values.conditions.some(({ condition_absent }) =>
          condition_absent.some((c) => !c.aggregations.some((a) => a.cross_series_reducer === "REDUCE_SUM")),
        ),
      )
      .map(({ address }) => `${address} takes a deploy for silence: it watches each revision by itself`),
};
