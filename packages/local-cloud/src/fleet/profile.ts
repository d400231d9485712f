import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CellManifest } from "@proveniq/contracts";
import { type IndexDefinitions, indexDefinitions } from "@proveniq/db/queries";
import type { ProductionOptions } from "../billing/index.ts";

/** Locations of several regions: https://firebase.google.com/docs/firestore/locations */
const multiRegions = ["nam5", "nam7", "eur3"];

/** How the databases of a cell behave in production. Throws when infra/ has no valid index definitions. */
export async function productionOf(root: string, manifest: CellManifest): Promise<ProductionOptions> {
  const [tenants, market] = await Promise.all([
    definitionsIn(root, "firestore.indexes.json"),
    definitionsIn(root, "firestore.market-indexes.json"),
  ]);
  const { databases, marketDatabase } = manifest;
  const several = databases.some(({ location }) => multiRegions.includes(location));
  return {
    definitionsOf: (database) => (database === marketDatabase.id ? market : tenants),
    commitMs: several ? [40, 100] : [20, 40],
  };
}

async function definitionsIn(root: string, file: string): Promise<IndexDefinitions> {
  return indexDefinitions.parse(JSON.parse(await readFile(join(root, "infra", file), "utf8")));
}
