import type { CellManifest, Residency } from "@proveniq/contracts";
import type { Fleet } from "./load.ts";

const residencies: readonly Residency[] = ["global", "eu", "us"];
const node = (text: string) => text.replaceAll(/[^a-z0-9]/gi, "_");
const cellNode = (id: string) => `cell_${node(id)}`;

/** docs/fleet.md: what runs where, as infra/fleet.json and the manifests say. Pure. */
export function fleetDocument({ config, manifests }: Fleet): string {
  const cells = Object.entries(manifests);
  const served = residencies.filter((r) => config.defaults[r] !== undefined);
  const groups = served.map((residency) => {
    const own = cells.filter(([, m]) => m.residency === residency);
    const lines = own.flatMap(([id, m]) => [
      `    ${cellNode(id)}["cell ${id}<br/>${m.region}"]`,
      ...[...m.databases, m.marketDatabase].map(
        (d) => `    ${cellNode(id)}_${node(d.id)}[("${m.project}<br/>${d.id}, ${d.location}")]`,
      ),
    ]);
    return [
      `  subgraph residency_${residency} [${residency}]`,
      `    router_${residency}{{router}}`,
      ...lines,
      "  end",
    ].join("\n");
  });
  const hosts = Object.entries(config.hosts).map(([host, rule]) => {
    const residency = rule.kind === "global" ? "global" : rule.residency;
    const own = cells.filter(([, m]) => m.residency === residency);
    const [only] = own;
    const past = residency !== "global" && own.length === 1 && only !== undefined;
    return `  ${node(host)}([${host}]) --> ${past ? cellNode(only[0]) : `router_${residency}`}`;
  });
  const pinned = Object.entries(config.pinnedTenants).flatMap(([tenant, { cell, hosts: own }]) =>
    own.map((host) => `  ${node(host)}([${host}]) -->|${tenant}| ${cellNode(cell)}`),
  );
  const own = Object.entries(config.ownHosts).map(
    ([host, residency]) => `  ${node(host)}([${host}]) --> router_${residency}`,
  );
  const inside = cells.flatMap(([id, m]) => [
    `  router_${m.residency} --> ${cellNode(id)}`,
    ...m.databases.map((d) => `  ${cellNode(id)} --- ${cellNode(id)}_${node(d.id)}`),
    `  ${cellNode(id)} -.reads.- ${cellNode(id)}_${node(m.marketDatabase.id)}`,
  ]);
  const { central, warehouse } = config;
  const centre = [
    `  subgraph centre [${central.project}, ${central.location}]`,
    `    registry[("${central.controlDatabase}")]`,
    `    published[("${central.marketDatabase}")]`,
    ...served.map((r) => `    raw_${r}[("warehouse raw_${r}<br/>${warehouse[r]}")]`),
    "  end",
  ];
  const flows = cells.flatMap(([id, m]) => [
    `  published -.pulled by.-> ${cellNode(id)}`,
    `  ${cellNode(id)} -.anonymous rows.-> raw_${m.residency}`,
  ]);
  const rows = cells.map(([id, m]) => row(id, m));
  return `# The fleet

Made from \`infra/fleet.json\` and the manifests in \`infra/cells\` by \`npm run generate\`; \`fleet cells add\` keeps it up to date.

\`\`\`mermaid
flowchart LR
${[...hosts, ...pinned, ...own, ...groups, ...inside, ...centre, ...flows].join("\n")}
\`\`\`

| cell | what | tier | residency | region | project | databases | wave |
|---|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

function row(id: string, m: CellManifest): string {
  const databases = m.databases.map((d) => `${d.id} (${d.location})`).join(", ");
  return `| ${id} | ${m.name} | ${m.tier} | ${m.residency} | ${m.region} | ${m.project} | ${databases} | ${m.wave} |`;
}
