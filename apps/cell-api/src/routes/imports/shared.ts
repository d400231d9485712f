import { type ImportJob, importId, ProblemError } from "@proveniq/contracts";
import type { ImportRecord, TenantDb } from "@proveniq/db/tenant";
import type { Context } from "hono";
import type { AppEnv } from "../../deps.ts";
import type { Importer } from "../../imports/importer.ts";
import { presentImport } from "../../imports/present.ts";
import type { Parameter, RouteDeps } from "../route.ts";

export const importPath = "/imports/{importId}";

export const importIdParameter: Parameter = {
  name: "importId",
  in: "path",
  description: "The import's id",
  schema: importId,
};

/** The id in the path. One that no import can have is as missing as any other. */
export function importIdOf(c: Context<AppEnv>): string {
  const id = importId.safeParse(c.req.param("importId"));
  if (!id.success) throw new ProblemError("not-found", "There is no such import.");
  return id.data;
}

/** What works on imports; only a process that serves the bulk routes has one. */
export function importerOf({ importer }: RouteDeps): Importer {
  if (importer === undefined) throw new Error("this process serves no imports");
  return importer;
}

/** An import with its counts, as it is answered. */
export async function jobOf(db: TenantDb, record: ImportRecord, deps: RouteDeps): Promise<ImportJob> {
  const progress = await db.imports.progress(record);
  return presentImport(record, progress, { writesPerSecond: importerOf(deps).writesPerSecond }, deps.now());
}

/** Retry-After, and where the caller stands with the writes of imports. */
export function laterHeaders(db: TenantDb, importer: Importer, seconds: number): Record<string, string> {
  const rate = importer.pace.rateOf(db.binding.tenantId);
  const later = { "retry-after": String(seconds) };
  if (!Number.isFinite(rate)) return later;
  return {
    ...later,
    "ratelimit-policy": `"import-writes";q=${Math.max(1, Math.floor(rate))};w=1`,
    ratelimit: `"import-writes";r=0;t=${seconds}`,
  };
}
