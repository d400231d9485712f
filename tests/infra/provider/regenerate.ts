/**
 * Writes google.schema.json and google-beta.schema.json: the schema of those resources of each provider that infra/terraform uses, so that
 * Terraform can check every argument without the provider. Run `npm run provider-schema` after a new resource is used.
 *
 * The provider itself cannot be asked where only package registries are reached. The CDKTF bindings carry its whole
 * schema: each class is generated from it, with a comment a field that says what is required, optional and computed.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Block, type CtyType, type ProviderSchema, providers, usedOf } from "./schema.ts";

const simple: Record<string, CtyType> = {
  string: "string",
  number: "number",
  boolean: "bool",
  stringList: ["list", "string"],
  numberList: ["list", "number"],
  stringMap: ["map", "string"],
  booleanMap: ["map", "bool"],
  numberMap: ["map", "number"],
};

/** By the getter that reads it. */
const read: [RegExp, CtyType][] = [
  [/getStringAttribute\(/, "string"],
  [/getNumberAttribute\(/, "number"],
  [/getBooleanAttribute\(/, "bool"],
  [/getNumberListAttribute\(/, ["list", "number"]],
  [/getListAttribute\(/, ["list", "string"]],
  [/new cdktf\.StringMap\(|getStringMapAttribute\(/, ["map", "string"]],
  [/new cdktf\.StringMapList\(/, ["list", ["map", "string"]]],
];

interface Source {
  text: string;
  /** Bodies of classes by name. */
  classes: Map<string, string>;
}

/** The TypeScript that a binding was compiled from; its map carries it whole. */
function sourceOf(folder: string): Source {
  const code = readFileSync(join(folder, "index.js"), "utf8");
  const map: { sourcesContent: string[] } = JSON.parse(
    Buffer.from(code.slice(code.lastIndexOf("base64,") + 7), "base64").toString("utf8"),
  );
  const text = map.sourcesContent[0] ?? "";
  const classes = new Map<string, string>();
  for (const part of text.split(/^export class /m).slice(1)) {
    const name = /^\w+/.exec(part)?.[0];
    if (name !== undefined) classes.set(name, part.split(/^export (?:interface|function) /m)[0] ?? "");
  }
  return { text, classes };
}

/** What an object of HCL may hold: the table of the function or method that writes it. */
function tableOf(source: Source, name: string, isResource: boolean) {
  const from = isResource
    ? (source.classes.get(name)?.split("synthesizeHclAttributes()")[1] ?? "")
    : (source.text.split(`function ${name.charAt(0).toLowerCase()}${name.slice(1)}ToHclTerraform(`)[1] ?? "");
  const body = from.split(isResource ? "// remove undefined attributes" : "\n}\n")[0] ?? "";
  const entry =
    /(\w+): \{\s+value: ([^\n]+),\s+isBlock: (true|false),\s+type: "(\w+)",\s+storageClassType: "(\w+)",/g;
  return [...body.matchAll(entry)].map((m) => ({
    name: m[1] ?? "",
    many: (m[2] ?? "").includes("listMapperHcl"),
    isBlock: m[3] === "true",
    kind: m[4] ?? "",
    storage: m[5] ?? "",
  }));
}

/** One block; `name` is the class of the resource, or of the struct without its suffix. */
function blockOf(source: Source, name: string, isResource: boolean): Block {
  const result: Block = { attributes: {}, blocks: {} };
  const fields = source.classes.get(isResource ? name : `${name}OutputReference`) ?? "";
  const flags =
    /\/\/ (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n([^]*?)(?=\n\s*\n|\n}\n|$)/g;
  const uses = new Map([...fields.matchAll(flags)].map((m) => [m[1] ?? "", m]));
  const use = (field: string) => {
    const [, , computed, optional, required] = uses.get(field) ?? [];
    if (required === "true") return "required";
    if (computed === "true") return optional === "true" ? "both" : "computed";
    return "optional";
  };
  for (const entry of tableOf(source, name, isResource)) {
    if (entry.isBlock) {
      const struct = entry.storage.replace(/List$/, "");
      result.blocks[entry.name] = {
        nesting: entry.kind === "struct" ? "single" : entry.kind === "set" ? "set" : "list",
        min: use(entry.name) === "required" ? 1 : 0,
        max: entry.many || entry.kind === "struct" ? 0 : 1,
        block: blockOf(source, struct, false),
      };
      continue;
    }
    const type = simple[entry.storage];
    if (type === undefined) throw new Error(`${name}.${entry.name}: ${entry.storage} is not known`);
    const isSet = entry.kind === "set" && Array.isArray(type);
    result.attributes[entry.name] = {
      type: isSet ? ["set", type[1]] : type,
      use: use(entry.name),
    };
  }
  for (const [field, [, , computed, , , body = ""]] of uses) {
    if (computed !== "true" || field in result.attributes || field in result.blocks) continue;
    const type = computedType(source, body);
    if (type !== undefined) result.attributes[field] = { type, use: "computed" };
  }
  return result;
}

function computedType(source: Source, body: string): CtyType | undefined {
  for (const [pattern, type] of read) if (pattern.test(body)) return type;
  const [, listOf] = /new (\w+)List\(this,/.exec(body) ?? [];
  if (listOf === undefined) return undefined;
  const { attributes } = blockOf(source, listOf, false);
  return ["list", ["object", Object.fromEntries(Object.entries(attributes).map(([k, v]) => [k, v.type]))]];
}

for (const provider of providers) {
  const bindings = `@cdktf/provider-${provider}@16.12.1`;
  const folder = mkdtempSync(join(tmpdir(), "provider-schema-"));
  try {
    const file = execFileSync("npm", ["pack", bindings, "--silent"], {
      cwd: folder,
      encoding: "utf8",
    }).trim();
    execFileSync("tar", ["xzf", file], { cwd: folder });
    const lib = join(folder, "package", "lib");
    const one = (dir: string, type: string): Block => {
      const source = sourceOf(join(lib, dir));
      const found = [...source.classes].find(([, body]) => body.includes(`tfResourceType = "${type}"`));
      if (found === undefined) throw new Error(`${type} is not in ${bindings}`);
      return blockOf(source, found[0], true);
    };
    // The preview's bindings keep the prefix in the names of folders.
    const folderOf = (type: string) =>
      (provider === "google" ? type.slice("google_".length) : type).replaceAll("_", "-");
    const schema: ProviderSchema = {
      version: "6.50.0",
      source: `Argument names and types of the hashicorp/${provider} provider 6.50.0 (MPL-2.0), read from ${bindings} (MPL-2.0)`,
      provider: one("provider", provider),
      resources: Object.fromEntries(usedOf(provider).map((type) => [type, one(folderOf(type), type)])),
    };
    writeFileSync(new URL(`${provider}.schema.json`, import.meta.url), `${JSON.stringify(schema)}\n`);
    process.stdout.write(`${provider}: ${Object.keys(schema.resources).length} resources\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
