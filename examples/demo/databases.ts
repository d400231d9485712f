import type { FleetState } from "@proveniq/local-cloud/fleet";
import { z } from "zod";

const documents = z.object({
  documents: z.array(z.object({ name: z.string() })).optional(),
  nextPageToken: z.string().optional(),
});

/** Names of the documents of a collection, straight from a cell's Firestore, past router and cell. */
async function list(url: string): Promise<string[]> {
  const names: string[] = [];
  for (let token: string | undefined; ; ) {
    const page = new URL(url);
    page.search = new URLSearchParams({
      pageSize: "300",
      showMissing: "true",
      "mask.fieldPaths": "ownerId",
      ...(token === undefined ? {} : { pageToken: token }),
    }).toString();
    const response = await fetch(page, { headers: { authorization: "Bearer owner" } });
    const { documents: found = [], nextPageToken } = documents.parse(await response.json());
    names.push(...found.map((d) => d.name));
    if (nextPageToken === undefined) return names;
    token = nextPageToken;
  }
}

const counted = z.array(
  z.object({
    result: z.object({ aggregateFields: z.object({ n: z.object({ integerValue: z.string() }) }) }),
  }),
);

/** How many documents a collection has: one call, however many there are. */
async function count(parent: string, collectionId: string): Promise<number> {
  const response = await fetch(`${parent}:runAggregationQuery`, {
    method: "POST",
    headers: { authorization: "Bearer owner", "content-type": "application/json" },
    body: JSON.stringify({
      structuredAggregationQuery: {
        structuredQuery: { from: [{ collectionId }] },
        aggregations: [{ alias: "n", count: {} }],
      },
    }),
  });
  const [first] = counted.parse(await response.json());
  return Number(first?.result.aggregateFields.n.integerValue ?? 0);
}

export interface Holding {
  cell: string;
  database: string;
  tenant: string;
  items: number;
}

/** Whose items lie in which database, as the databases themselves say it. */
export async function holdings(fleet: FleetState): Promise<Holding[]> {
  const found: Holding[] = [];
  for (const [cell, { emulator, project, databases }] of Object.entries(fleet.cells)) {
    for (const database of databases) {
      const root = `http://${emulator}/v1/projects/${project}/databases/${encodeURIComponent(database)}/documents`;
      for (const name of await list(`${root}/tenants`)) {
        const tenant = name.slice(name.lastIndexOf("/") + 1);
        // The cell's default database also knows where its other tenants are: those hold no claim there.
        const claims = await list(`${root}/tenants/${tenant}/claims`);
        if (claims.length === 0) continue;
        found.push({ cell, database, tenant, items: await count(`${root}/tenants/${tenant}`, "items") });
      }
    }
  }
  return found;
}
