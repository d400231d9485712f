import { z } from "zod";
import { type UrlMap, urlMap } from "./url-map.ts";

const types = ["google_compute_url_map", "google_compute_region_url_map"];
const resource = z.object({ type: z.string(), values: z.record(z.string(), z.unknown()) });
interface Module {
  resources?: z.infer<typeof resource>[] | undefined;
  child_modules?: Module[] | undefined;
}
const stateModule: z.ZodType<Module> = z.lazy(() =>
  z.object({ resources: z.array(resource).optional(), child_modules: z.array(stateModule).optional() }),
);
const shown = z.object({
  values: z.object({ root_module: stateModule }).optional(),
  planned_values: z.object({ root_module: stateModule }).optional(),
});

/**
 * The URL maps in what `terraform show -json` prints of an edge's state or plan. Throws when there is none, or when one holds
 * what this fleet's never do.
 */
export function readUrlMaps(text: string): UrlMap[] {
  const { values, planned_values } = shown.parse(JSON.parse(text));
  const root = planned_values?.root_module ?? values?.root_module;
  const maps = root === undefined ? [] : resourcesOf(root).filter((r) => types.includes(r.type));
  if (maps.length === 0) throw new Error("it holds no URL map: run `terraform show -json` on a root `edge`");
  return maps.map((r) => urlMap.parse(r.values));
}

function resourcesOf({ resources = [], child_modules = [] }: Module): z.infer<typeof resource>[] {
  return [...resources, ...child_modules.flatMap(resourcesOf)];
}
