import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** A type as Terraform's providers write it: "string", ["list", "string"], ["object", {…}]. */
export type CtyType = string | [string, CtyType | Record<string, CtyType>];
const ctyType: z.ZodType<CtyType> = z.lazy(() =>
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

/** The providers in use: Google's, and its preview for what the stable one does not have yet. */
export const providers = ["google", "google-beta"] as const;
export type ProviderName = (typeof providers)[number];

/** The part of a provider's schema that `infra/terraform` uses; see regenerate.ts. */
export const providerSchema = z.strictObject({
  version: z.string(),
  source: z.string(),
  provider: block,
  resources: z.record(z.string(), block),
});
export type ProviderSchema = z.infer<typeof providerSchema>;

export function readSchema(provider: ProviderName): ProviderSchema {
  return providerSchema.parse(
    JSON.parse(readFileSync(new URL(`${provider}.schema.json`, import.meta.url), "utf8")),
  );
}

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Resource types in use, by the provider that each of them asks for. */
export function usedOf(provider: ProviderName): string[] {
  const types = globSync("infra/terraform/**/*.tf", { cwd: root }).flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/^resource "(google_\w+)" "\w+" \{\n([^]*?)^\}/gm)]
      .filter(
        ([, , body = ""]) => /^ {2}provider\s+= google-beta$/m.test(body) === (provider === "google-beta"),
      )
      .map(([, type = ""]) => type),
  );
  return [...new Set(types)].sort();
}
