import { z } from "zod";
import { directoryVersion, maxDirectoryVersion } from "./directory-trust.ts";
import { defaultTarget, fleetHost } from "./fleet.ts";
import { cellId, epoch, hostname, tenantId } from "./ids.ts";
import { residency } from "./region.ts";

const origin = z
  .url({ protocol: /^https?$/ })
  .refine((url) => new URL(url).origin === url, { error: "must be an origin: scheme and host, no path" });

/** Where a router reaches a cell, and whom the cell may serve. Local origins are plain http. */
export const directoryCell = z.strictObject({ residency, api: origin, bulk: origin });
export type DirectoryCell = z.infer<typeof directoryCell>;

/** The part of the directory that all tenants share: hosts, defaults and cells. */
export const topology = z
  .strictObject({
    hosts: z.record(hostname, fleetHost),
    defaults: z.strictObject({
      global: defaultTarget,
      eu: defaultTarget.optional(),
      us: defaultTarget.optional(),
    }),
    cells: z.record(cellId, directoryCell),
  })
  .superRefine((t, ctx) => {
    for (const [name, target] of Object.entries(t.defaults)) {
      const cell = target === undefined ? undefined : t.cells[target.cell];
      if (target !== undefined && cell?.residency !== name) {
        ctx.addIssue({
          code: "custom",
          path: ["defaults", name],
          message: `${target.cell} is not a cell of residency "${name}"`,
        });
      }
    }
    const owners = new Map<string, string>();
    for (const [id, { api, bulk }] of Object.entries(t.cells)) {
      for (const [service, url] of Object.entries({ api, bulk })) {
        const owner = owners.get(url) ?? id;
        owners.set(url, owner);
        if (owner === id) continue;
        const message = `${url} is the origin of cell ${owner} too`;
        ctx.addIssue({ code: "custom", path: ["cells", id, service], message });
      }
    }
  });
export type Topology = z.infer<typeof topology>;

/** [cell, epoch]. A tenant has the residency of its cell. */
export const directoryEntry = z.tuple([cellId, epoch]);
export type DirectoryEntry = z.infer<typeof directoryEntry>;

/**
 * The directory as one document (Edge Config, file): a published projection of the registry, and only a hint.
 * `version` grows with every publication; an older one is never believed.
 */
export const directorySnapshot = z
  .strictObject({
    version: directoryVersion,
    publishedAt: z.iso.datetime(),
    topology,
    tenants: z.record(tenantId, directoryEntry),
    tenantHosts: z.record(hostname, tenantId).describe("Tenants' own hosts"),
  })
  .superRefine((d, ctx) => {
    for (const [tenant, [cell]] of Object.entries(d.tenants)) {
      if (!Object.hasOwn(d.topology.cells, cell)) {
        ctx.addIssue({
          code: "custom",
          path: ["tenants", tenant],
          message: `names the unknown cell ${cell}`,
        });
      }
    }
    for (const [host, tenant] of Object.entries(d.tenantHosts)) {
      if (!Object.hasOwn(d.tenants, tenant)) {
        ctx.addIssue({
          code: "custom",
          path: ["tenantHosts", host],
          message: `names the unknown tenant ${tenant}`,
        });
      }
      if (Object.hasOwn(d.topology.hosts, host)) {
        ctx.addIssue({ code: "custom", path: ["tenantHosts", host], message: "is a host of the fleet" });
      }
    }
  })
  .meta({ id: "DirectorySnapshot" });
export type DirectorySnapshot = z.infer<typeof directorySnapshot>;

/**
 * A published directory as whoever is about to replace it reads it: a version that no router believes counts as the
 * first, so that it stands in nobody's way.
 */
export const replaceableSnapshot = z.preprocess(withPossibleVersion, directorySnapshot);

function withPossibleVersion(document: unknown): unknown {
  if (typeof document !== "object" || document === null || !("version" in document)) return document;
  const { version } = document;
  return typeof version === "number" && version > maxDirectoryVersion
    ? { ...document, version: 1 }
    : document;
}
