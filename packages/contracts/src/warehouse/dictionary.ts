import { maximumShare, minimumBeside, noiseScale, privacyBudget, publishedError } from "./privacy.ts";
import { warehouseTables } from "./tables.ts";
import { warehouseViews } from "./views.ts";

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
residency (\`raw_eu\`, \`raw_us\`, \`raw_global\`); \`published\` is the one global view. Each person counts once a day, with
the first change. Every published figure has Laplace noise of scale ${noiseScale}: 95 of 100 are no further than
${publishedError} from the true sum. That spends epsilon ${privacyBudget.epsilon} and delta ${privacyBudget.delta.toFixed(5)} of a person and
day, once. A group is shown when, by such figures, more than ${minimumBeside} people are left without its largest
tenant, and that tenant has no more than ${maximumShare.parts}/${maximumShare.of} of them.

## Tables

${tables.join("\n")}
## Views

${views.join("\n")}`;
}
