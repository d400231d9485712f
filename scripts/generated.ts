import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as contracts from "@proveniq/contracts";
import { dataDictionary, warehouseDefinition } from "@proveniq/contracts/warehouse";
import { fleetDocument } from "@proveniq/control-plane";
import { z } from "zod";
import { moduleReadme } from "./terraform-readme.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface GeneratedFile {
  /** From the root of the repository. */
  path: string;
  text: string;
}

/** The contracts that other tools read as JSON Schema: editors, Terraform's checks, partners. */
const published = {
  "cell-manifest": contracts.cellManifest,
  "fleet-config": contracts.fleetConfig,
  "directory-snapshot": contracts.directorySnapshot,
  "item-input": contracts.itemInput,
  "item-patch": contracts.itemPatch,
  item: contracts.item,
  "domain-event": contracts.domainEvent,
  "import-input": contracts.importInput,
  "import-mapping": contracts.importMapping,
  "import-job": contracts.importJob,
  "import-chunk": contracts.chunkAnswer,
  "import-row-report": contracts.rowReport,
  "market-value": contracts.marketValue,
  "market-change-page": contracts.changePage,
  "market-base-generation": contracts.baseGeneration,
  portfolio: contracts.portfolio,
  placement: contracts.placement,
  "tenant-settings": contracts.tenantSettings,
  problem: contracts.problem,
} as const;

/** Every file that is made from the code, with the text it must have. */
export function generatedFiles(): GeneratedFile[] {
  const schemas = Object.entries(published).map(([name, schema]) => ({
    path: `packages/contracts/schemas/${name}.schema.json`,
    text: `${JSON.stringify(z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" }), null, 2)}\n`,
  }));
  return [
    ...schemas,
    { path: "infra/warehouse.json", text: `${JSON.stringify(warehouseDefinition(), null, 2)}\n` },
    { path: "docs/data-dictionary.md", text: dataDictionary() },
    { path: "docs/fleet.md", text: fleetDocument(fleet()) },
    ...readdirSync(`${root}infra/terraform/modules`).map((module) => ({
      path: `infra/terraform/modules/${module}/README.md`,
      text: moduleReadme(root, module),
    })),
  ];
}

/** fleet.json and the manifests, read at once: a table of tests cannot wait. */
function fleet() {
  const read = <T>(schema: z.ZodType<T>, file: string): T =>
    contracts.parseFile(schema, file, readFileSync(root + file, "utf8"));
  const ids = readdirSync(`${root}infra/cells`).toSorted();
  return {
    config: read(contracts.fleetConfig, "infra/fleet.json"),
    manifests: Object.fromEntries(
      ids.map((id) => [id, read(contracts.cellManifest, `infra/cells/${id}/cell.json`)]),
    ),
  };
}
