import { z } from "zod";
import { defaultTarget, fleetHost } from "./fleet.ts";
import { cellId, epoch, hostname, tenantId } from "./ids.ts";
import { residency } from "./region.ts";

/** Where a router reaches a cell, and whom the cell may serve. Local origins are plain http. */
export const directoryCell = z.strictObject({
  residency,
  api: z.url({ protocol: /^https?$/ }),
  bulk: z.url({ protocol: /^https?$/ }),
});
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
    version: z.int().min(1),
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
