import { z } from "zod";
import { manifestIssuer } from "./credential.ts";
import { databaseId, projectId } from "./ids.ts";
import { isInside, location, region, residency } from "./region.ts";

const database = z.strictObject({
  id: databaseId.describe("(default) or a named database"),
  location: location.describe("Where it is kept; it can never be moved"),
});

const origin = z
  .url({ protocol: /^https$/, error: "must be an https URL" })
  .refine((u) => new URL(u).origin === u, { error: "must be an origin: scheme and host, no path" });

const count = z.int().min(1);

/**
 * One cell: infra/cells/<id>/cell.json. Read by Terraform, the router, the local fleet and deploys alike, so
 * every field is written out: there are no defaults here.
 */
export const cellManifest = z
  .strictObject({
    name: z.string().min(1).max(80).describe("For people"),
    tier: z
      .enum(["consumer", "region", "dedicated"])
      .describe("consumer: Cell 0; region: many tenants of one residency; dedicated: one carrier"),
    region: region.describe("Where its functions run"),
    residency: residency.describe("The promise made to its tenants"),
    project: projectId,
    databases: z
      .array(database)
      .min(1)
      .max(20)
      .describe("The only databases that this cell may open for tenants; the first is its default"),
    marketDatabase: database.describe("Its read-only replica of market values; never a tenant's"),
    origins: z.strictObject({
      api: origin.describe("Where the router sends interactive traffic"),
      bulk: origin.describe("Where imports go"),
    }),
    wave: z.int().min(0).max(9).describe("In which wave a release reaches it; 0 is first"),
    capacity: z.strictObject({
      apiInstances: count.max(1000),
      bulkInstances: count.max(100),
      concurrency: count.max(1000).describe("Requests that one instance serves at once"),
      writesPerSecond: count.max(10_000).describe("Of imports, over all bulk instances"),
    }),
    quota: z.strictObject({
      tenantRequestsPerSecond: count.max(100_000).describe("Of one tenant, over all instances"),
      personRequestsPerSecond: count.max(1000).describe("Of one person, over all instances"),
    }),
    issuers: z.array(manifestIssuer).min(1).max(10).describe("Whose tokens people may bring"),
    maxReplicaLagSeconds: count.max(86_400).describe("Market values older than this make the cell degraded"),
  })
  .superRefine((m, ctx) => {
    const outside = (path: (string | number)[], place: z.infer<typeof location>) => {
      if (!isInside(place, m.residency)) {
        ctx.addIssue({ code: "custom", path, message: `${place} is outside the residency "${m.residency}"` });
      }
    };
    outside(["region"], m.region);
    for (const [n, d] of m.databases.entries()) outside(["databases", n, "location"], d.location);
    outside(["marketDatabase", "location"], m.marketDatabase.location);
    for (const [n, { issuer, jwks }] of m.issuers.entries()) {
      if (m.issuers.findIndex((other) => other.issuer === issuer) !== n)
        ctx.addIssue({ code: "custom", path: ["issuers", n, "issuer"], message: "is listed twice" });
      for (const [field, url] of Object.entries({ issuer, jwks })) {
        if (!url.startsWith("https://"))
          ctx.addIssue({ code: "custom", path: ["issuers", n, field], message: "must be an https URL" });
      }
    }
    const ids = m.databases.map((d) => d.id);
    for (const [n, id] of ids.entries()) {
      if (ids.indexOf(id) !== n)
        ctx.addIssue({ code: "custom", path: ["databases", n, "id"], message: "is listed twice" });
    }
    if (ids.includes(m.marketDatabase.id)) {
      ctx.addIssue({
        code: "custom",
        path: ["marketDatabase", "id"],
        message: "must not be one of the tenants' databases",
      });
    }
  })
  .meta({ id: "CellManifest" });
export type CellManifest = z.infer<typeof cellManifest>;

/** The database a cell opens when a tenant has none of its own. */
export function defaultDatabase(manifest: Pick<CellManifest, "databases">): string {
  const [first] = manifest.databases;
  if (first === undefined) throw new Error("a manifest has at least one database");
  return first.id;
}

/**
 * The manifest as a cell is given it: without what is said of its issuers for those who judge, which the release before does not
 * know and would refuse.
 */
export function manifestForCell(manifest: CellManifest): CellManifest {
  const issuers = manifest.issuers.map(({ issuer, audience, jwks, algorithm }) => ({
    issuer,
    audience,
    jwks,
    algorithm,
  }));
  return { ...manifest, issuers };
}
