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

/** The tenants of a fleet of these cells. A cell that none of them is in, a new one say, gets a partner to try it with. */
export function seedsFor(cells: readonly string[], zone: string): SeedTenant[] {
  const seeds = seedTenants.filter((tenant) => cells.includes(tenant.cellId));
  const empty = cells.filter((cell) => !seeds.some((tenant) => tenant.cellId === cell));
  return [
    ...seeds,
    ...empty.map((cellId) => {
      const tenantId = sampleTenant(cellId);
      return { tenantId, name: `Sample of ${cellId}`, cellId, hosts: [`${tenantId}.${zone}`], partner: true };
    }),
  ];
}

/** The partner that a cell without other tenants gets here. It has a host of its own: its residency may have none. */
export function sampleTenant(cell: string): string {
  return `sample-${cell}`;
}
