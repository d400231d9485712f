import type { DirectorySnapshot } from "@proveniq/contracts";

/** A small valid snapshot, for tests. */
export function exampleSnapshot(change: Partial<DirectorySnapshot> = {}): DirectorySnapshot {
  const cell = (residency: "eu" | "global", n: number) => ({
    residency,
    api: `http://127.0.0.1:${n}`,
    bulk: `http://127.0.0.1:${n + 1}`,
  });
  return {
    version: 1,
    publishedAt: "2026-01-01T00:00:00Z",
    topology: {
      hosts: {
        "api.proveniq.io": { kind: "global" },
        "eu.proveniq.io": { kind: "region", residency: "eu" },
      },
      defaults: {
        global: { cell: "consumer", tenant: "consumers" },
        eu: { cell: "eu", tenant: "consumers-eu" },
      },
      cells: { consumer: cell("global", 9001), "enterprise-a": cell("global", 9011), eu: cell("eu", 9021) },
    },
    tenants: { "carrier-a": ["enterprise-a", 3], "atelier-nord": ["eu", 1], "nordic-mutual": ["eu", 2] },
    tenantHosts: { "nordic-mutual.proveniq.io": "nordic-mutual" },
    ...change,
  };
}
