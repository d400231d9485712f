import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** The README of one Terraform module: what its files are about, and what it wants to know. Read off the files themselves. */
export function moduleReadme(root: string, module: string): string {
  const folder = join(root, "infra/terraform/modules", module);
  const files = globSync("*.tf", { cwd: folder })
    .filter((file) => !["variables.tf", "versions.tf"].includes(file))
    .toSorted();
  const about = files.map((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    const comment = /^((?:# .*\n)+)/m.exec(text)?.[1] ?? "";
    const types = [...text.matchAll(/^resource "(\w+)"/gm)].map(([, type = ""]) => `\`${type}\``);
    return `| \`${basename(file)}\` | ${comment.replaceAll(/^# /gm, "").replaceAll("\n", " ").trim()} | ${[...new Set(types)].join(", ")} |`;
  });
  const text = readFileSync(join(folder, "variables.tf"), "utf8");
  const variables = [...text.matchAll(/^variable "(\w+)" \{\n([^]*?)\n\}/gm)].map(([, name, body = ""]) => {
    const described = /description = "(.*)"/.exec(body)?.[1] ?? "";
    const type = /^ {2}type\s+= (\w+(?:\(\w+\))?)/m.exec(body)?.[1] ?? "";
    return `| \`${name}\` | ${type} | ${described} |`;
  });
  return `# Module ${module}

Made from its files by \`npm run generate\`. How modules become plans, and how those are proven: [the folder's README](../../README.md).

| file | about | resources |
|---|---|---|
${about.join("\n")}

| variable | type | meaning |
|---|---|---|
${variables.join("\n")}
`;
}
