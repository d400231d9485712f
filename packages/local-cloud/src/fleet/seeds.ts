/** A tenant that the local fleet starts with. */
export interface SeedTenant {
  tenantId: string;
  name: string;
  cellId: string;
  /** Absent: the cell's default database. */
  databaseId?: string;
  /** As in production; the local fleet translates them. */
  hosts: string[];
}

/** One of each kind: consumers of two residencies, a carrier with a cell of its own, two partners that share one. */
export const seedTenants: readonly SeedTenant[] = [
  { tenantId: "consumers", name: "Consumers", cellId: "consumer", hosts: [] },
  {
    tenantId: "consumers-eu",
    name: "Consumers in the EU",
    cellId: "eu",
    databaseId: "eu-partners",
    hosts: [],
  },
  { tenantId: "carrier-a", name: "Carrier A", cellId: "enterprise-a", hosts: ["carrier-a.proveniq.io"] },
  { tenantId: "atelier-nord", name: "Atelier Nord", cellId: "eu", databaseId: "eu-partners", hosts: [] },
  {
    tenantId: "nordic-mutual",
    name: "Nordic Mutual",
    cellId: "eu",
    databaseId: "eu-carriers",
    hosts: ["nordic-mutual.proveniq.io"],
  },
];

/** What DEVELOPMENT_CREDENTIAL is in the local fleet: good for this machine only. */
export const localCredential = "local-development";
