import { warehouseTables } from "./tables.ts";
import { maximumShare, minimumActors, warehouseViews } from "./views.ts";

const cell = (text: string) => text.replaceAll("|", "\\|");

/** The data dictionary, docs/data-dictionary.md: made from the schemas, so that it cannot lag behind them. */
export function dataDictionary(): string {
  const tables = warehouseTables.map((t) => {
    const kept = t.expiresAfterDays !== undefined ? ` Kept ${t.expiresAfterDays} days.` : "";
    const rows = t.columns.map((c) => {
      const listed = c.values !== undefined && c.values.length <= 20 ? c.values.map((v) => `\`${v}\``) : [];
      const values = listed.length > 0 ? ` One of ${listed.join(", ")}.` : "";
      return `| \`${c.name}\` | ${c.type} | ${cell(c.description)}.${values} |`;
    });
    return `### ${t.dataset}.${t.name}\n\n${t.description}${kept}\n\n| column | type | what it is |\n|---|---|---|\n${rows.join("\n")}\n`;
  });
  const views = warehouseViews.map((v) => {
    const rows = Object.entries(v.columns).map(([name, meaning]) => `| \`${name}\` | ${cell(meaning)} |`);
    return `### ${v.dataset}.${v.name}\n\n${v.description}\n\n| column | what it is |\n|---|---|\n${rows.join("\n")}\n`;
  });
  return `# Data dictionary of the warehouse

Made from \`packages/contracts/src/warehouse/\` by \`npm run generate\`; do not edit. \`raw\` stands for one dataset in each
residency (\`raw_eu\`, \`raw_us\`, \`raw_global\`); \`published\` is the one global view. Nothing published is about fewer than
${minimumActors} people within a day, or to more than ${maximumShare.parts}/${maximumShare.of} one tenant's.

## Tables

${tables.join("\n")}
## Views

${views.join("\n")}`;
}
