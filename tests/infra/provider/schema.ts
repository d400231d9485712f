import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** A type as Terraform's providers write it: "string", ["list", "string"], ["object", {…}]. */
export type CtyType = string | [string, CtyType | Record<string, CtyType>];
export const ctyType: z.ZodType<CtyType> = z.lazy(() =>
  z.union([z.string(), z.tuple([z.string(), z.union([ctyType, z.record(z.string(), ctyType)])])]),
);

const attribute = z.strictObject({
  type: ctyType,
  use: z.enum(["required", "optional", "computed", "both"]),
});

export interface Block {
  attributes: Record<string, z.infer<typeof attribute>>;
  blocks: Record<string, { nesting: "list" | "set" | "single"; min: number; max: number; block: Block }>;
}
const block: z.ZodType<Block> = z.lazy(() =>
  z.strictObject({
    attributes: z.record(z.string(), attribute),
    blocks: z.record(
      z.string(),
      z.strictObject({ nesting: z.enum(["list", "set", "single"]), min: z.int(), max: z.int(), block }),
    ),
  }),
);

/** The part of the provider's schema that `infra/terraform` uses; see regenerate.ts. */
export const providerSchema = z.strictObject({
  source: z.string(),
  provider: block,
  resources: z.record(z.string(), block),
  data: z.record(z.string(), block),
});
export type ProviderSchema = z.infer<typeof providerSchema>;

export function readSchema(): ProviderSchema {
  return providerSchema.parse(
    JSON.parse(readFileSync(new URL("google.schema.json", import.meta.url), "utf8")),
  );
}

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Types in use of resources, or of data sources. */
export function usedOf(kind: "resource" | "data"): string[] {
  const types = globSync("infra/terraform/**/*.tf", { cwd: root }).flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(new RegExp(`^${kind} "(google_\\w+)"`, "gm"))].map(
      ([, type = ""]) => type,
    ),
  );
  return [...new Set(types)].sort();
}
