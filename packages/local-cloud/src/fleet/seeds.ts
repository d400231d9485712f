/** A tenant that the local fleet starts with. */
export interface SeedTenant {
  tenantId: string;
  name: string;
  cellId: string;
  /** Absent: the cell's default database. */
  databaseId?: string;
  /** As in production; the local fleet translates them. */
  hosts: string[];
  /** Partners get an API key; consumers come with tokens only. */
  partner: boolean;
}

/** One of each kind: consumers of two residencies, a carrier with a cell of its own, two partners that share one. */
export const seedTenants: readonly SeedTenant[] = [
  { tenantId: "consumers", name: "Consumers", cellId: "consumer", hosts: [], partner: false },
  {
    tenantId: "consumers-eu",
    name: "Consumers in the EU",
    cellId: "eu",
    databaseId: "eu-partners",
    hosts: [],
    partner: false,
  },
  {
    tenantId: "carrier-a",
    name: "Carrier A",
    cellId: "enterprise-a",
    hosts: ["carrier-a.proveniq.io"],
    partner: true,
  },
  {
    tenantId: "atelier-nord",
    name: "Atelier Nord",
    cellId: "eu",
    databaseId: "eu-partners",
    hosts: [],
    partner: true,
  },
  {
    tenantId: "nordic-mutual",
    name: "Nordic Mutual",
    cellId: "eu",
    databaseId: "eu-carriers",
    hosts: ["nordic-mutual.proveniq.io"],
    partner: true,
  },
];
