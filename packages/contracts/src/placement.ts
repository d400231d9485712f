import { z } from "zod";
import { cellId, databaseId, epoch, hostname, tenantId } from "./ids.ts";
import { residency } from "./region.ts";

/** The registry's record of a tenant: the source that the directory is published from. */
export const placement = z.strictObject({
  tenantId,
  name: z.string().min(1).max(120).describe("For people"),
  cellId,
  databaseId,
  epoch,
  residency,
  hosts: z.array(hostname).max(20),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type Placement = z.infer<typeof placement>;

/** Who holds a tenant now, in the tenant's own database. Each write transaction reads it. */
export const claim = z.strictObject({
  tenantId,
  state: z.enum(["active", "moving", "fenced", "moved", "suspended"]),
  epoch,
  copies: z.int().min(1).max(64).describe("How many equal copies of this document exist"),
  successor: z.strictObject({ cellId, epoch }).optional().describe("Set when state is moved"),
  fence: z
    .strictObject({ token: z.string().min(1), deadline: z.iso.datetime() })
    .optional()
    .describe("Set when state is fenced; past its deadline the claim reads as active"),
});
export type Claim = z.infer<typeof claim>;

/** In a cell's own default database: which database of the allow-list holds the tenant. */
export const tenantLocator = z.strictObject({ tenantId, databaseId });

/** Where an administrative change came from. Append-only. */
export const auditRecord = z.strictObject({
  at: z.iso.datetime(),
  who: z.string().min(1).max(200),
  from: z.string().min(1).max(200).describe("Host or address the change was made from"),
  action: z
    .string()
    .regex(/^[a-z]+(\.[a-z-]+)+$/)
    .describe("Such as tenant.add"),
  target: z.string().min(1).max(200),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type AuditRecord = z.infer<typeof auditRecord>;
