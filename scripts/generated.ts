import * as contracts from "@proveniq/contracts";
import { dataDictionary, warehouseDefinition } from "@proveniq/contracts/warehouse";
import { z } from "zod";

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
  ];
}
