/**
 * Writes google.schema.json: the schema of those resources of the provider that infra/terraform uses, so that Terraform can check
 * every argument where there is no provider. Run `npm run provider-schema` after a new resource is used, where the provider is.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { providerFolder } from "../judge/tools.ts";
import { type Block, ctyType, type ProviderSchema, usedOf } from "./schema.ts";

interface TerraformBlock {
  attributes?: Record<string, z.infer<typeof attribute>> | undefined;
  block_types?: Record<string, z.infer<typeof nested>> | undefined;
}
const attribute = z.object({
  type: ctyType,
  required: z.boolean().default(false),
  optional: z.boolean().default(false),
  computed: z.boolean().default(false),
});
const block: z.ZodType<TerraformBlock> = z.lazy(() =>
  z.object({
    attributes: z.record(z.string(), attribute).optional(),
    block_types: z.record(z.string(), nested).optional(),
  }),
);
const nested = z.object({
  nesting_mode: z.enum(["list", "set", "single"]),
  min_items: z.number().default(0),
  max_items: z.number().default(0),
  block,
});
const whole = z.record(z.string(), z.object({ block }));
const printed = z.object({
  provider_schemas: z.record(
    z.string(),
    z.object({
      provider: z.object({ block }),
      resource_schemas: whole,
      data_source_schemas: whole,
    }),
  ),
});

function blockOf({ attributes = {}, block_types = {} }: TerraformBlock): Block {
  return {
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, { type, required, optional, computed }]) => {
        const use = required
          ? "required"
          : optional && computed
            ? "both"
            : optional
              ? "optional"
              : "computed";
        return [name, { type, use }] as const;
      }),
    ),
    blocks: Object.fromEntries(
      Object.entries(block_types).map(([name, { nesting_mode, min_items, max_items, block: inner }]) => [
        name,
        { nesting: nesting_mode, min: min_items, max: max_items, block: blockOf(inner) },
      ]),
    ),
  };
}

if (providerFolder === undefined)
  throw new Error("There is no provider: name its folder by TERRAFORM_GOOGLE_PROVIDER.");
const folder = mkdtempSync(join(tmpdir(), "provider-schema-"));
try {
  const rc = join(folder, "terraform.rc");
  writeFileSync(
    rc,
    `provider_installation {\n  dev_overrides {\n    "hashicorp/google" = "${providerFolder}"\n  }\n  direct {}\n}\n`,
  );
  writeFileSync(
    join(folder, "main.tf"),
    'terraform {\n  required_providers {\n    google = { source = "hashicorp/google" }\n  }\n}\n',
  );
  const text = execFileSync("terraform", ["providers", "schema", "-json"], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, TF_CLI_CONFIG_FILE: rc, CHECKPOINT_DISABLE: "1" },
    maxBuffer: 64 * 1024 * 1024,
  });
  const found = printed.parse(JSON.parse(text)).provider_schemas["registry.terraform.io/hashicorp/google"];
  if (found === undefined) throw new Error("the provider did not print its schema");
  const pick = (kind: "resource" | "data", from: z.infer<typeof whole>) =>
    Object.fromEntries(
      usedOf(kind).map((type) => {
        const one = from[type];
        if (one === undefined) throw new Error(`the provider has no ${kind} ${type}`);
        return [type, blockOf(one.block)];
      }),
    );
  const schema: ProviderSchema = {
    source: "Argument names and types of the hashicorp/google provider 7.45.0 (MPL-2.0), as it prints them",
    provider: blockOf(found.provider.block),
    resources: pick("resource", found.resource_schemas),
    data: pick("data", found.data_source_schemas),
  };
  writeFileSync(new URL("google.schema.json", import.meta.url), `${JSON.stringify(schema)}\n`);
  process.stdout.write(`${Object.keys(schema.resources).length} resources\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
