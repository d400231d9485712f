import { createHash } from "node:crypto";
import { type ApiKeyRecord, apiKeyRecord, faultsOf, type KeyEnvironment, scope } from "@proveniq/contracts";
import type { Origin } from "@proveniq/db/control";
import { makeApiKey, parseApiKey } from "@proveniq/tenant-context/credentials";
import { z } from "zod";
import type { TenantConnections } from "../connections.ts";
import { RefusedError } from "../refused.ts";
import { accessOf, auditOf } from "./place.ts";

const request = z.strictObject({
  tenantId: z.string(),
  label: apiKeyRecord.shape.label,
  scopes: z.array(scope).min(1, "needs at least one scope"),
  expiresAt: z.date().nullable().default(null),
});

/** A new key: for whom, for what, until when (null: until it is revoked). */
export type CreateKey = z.input<typeof request>;

/** What may be shown of a key. */
export type KeySummary = Omit<ApiKeyRecord, "secretHash"> & { state: "active" | "expired" | "revoked" };

/** A key's secret, which exists here and with whoever is given it, and nowhere else. */
export interface CreatedKey {
  key: string;
  summary: KeySummary;
}

/**
 * Make a key for a tenant's partner. Rotate by making a second one: any number may be alive at once. Throws `RefusedError` for an
 * unknown tenant and for a request that makes no sense.
 */
export async function createKey(
  connections: TenantConnections,
  environment: KeyEnvironment,
  wanted: CreateKey,
  origin: Origin,
  now: () => Date = () => new Date(),
): Promise<CreatedKey> {
  const parsed = request.safeParse(wanted);
  if (!parsed.success) {
    throw new RefusedError(
      faultsOf(parsed.error)
        .map((f) => `${f.path.slice(1)} ${f.message}`)
        .join("; "),
    );
  }
  const { tenantId, label, expiresAt } = parsed.data;
  const at = now();
  if (expiresAt !== null && expiresAt <= at) throw new RefusedError("the key would have expired already");
  const access = await accessOf(connections, tenantId);
  const { key, keyId, secretHash } = await makeApiKey(environment, tenantId);
  const scopes = scope.options.filter((s) => parsed.data.scopes.includes(s));
  const record: ApiKeyRecord = {
    keyId,
    tenantId,
    environment,
    label,
    secretHash,
    scopes,
    createdAt: at.toISOString(),
    expiresAt: expiresAt === null ? null : expiresAt.toISOString(),
    revokedAt: null,
  };
  const detail = { keyId, label, scopes: scopes.join(" "), expiresAt: record.expiresAt };
  await access.addKey(record, auditOf(origin, at, "key.create", tenantId, detail));
  return { key, summary: summaryOf(record, at) };
}

/**
 * Make a tenant know a key that was made before, such as one that its database has lost. Does nothing when the tenant
 * knows it. Throws `RefusedError` for what is no key, and for an unknown tenant.
 */
export async function adoptKey(
  connections: TenantConnections,
  key: string,
  { label, scopes }: Pick<CreateKey, "label" | "scopes">,
  origin: Origin,
  now: () => Date = () => new Date(),
): Promise<KeySummary> {
  const parts = parseApiKey(key);
  if (parts === undefined)
    throw new RefusedError("this is no key: look for characters that were lost or added");
  const { keyId, tenantId, environment, secret } = parts;
  const at = now();
  const record: ApiKeyRecord = {
    keyId,
    tenantId,
    environment,
    label,
    secretHash: createHash("sha256").update(secret).digest("hex"),
    scopes,
    createdAt: at.toISOString(),
    expiresAt: null,
    revokedAt: null,
  };
  const access = await accessOf(connections, tenantId);
  const detail = { keyId, label, scopes: scopes.join(" ") };
  return summaryOf(await access.addKey(record, auditOf(origin, at, "key.adopt", tenantId, detail)), at);
}

/** Every key the tenant has or had, oldest first. */
export async function listKeys(
  connections: TenantConnections,
  tenantId: string,
  now: () => Date = () => new Date(),
): Promise<KeySummary[]> {
  const records = await (await accessOf(connections, tenantId)).keys();
  return records.map((record) => summaryOf(record, now()));
}

/** Revoke a key for good; its cell refuses it within ten seconds. Throws `RefusedError` when there is none of this id. */
export async function revokeKey(
  connections: TenantConnections,
  tenantId: string,
  keyId: string,
  origin: Origin,
  now: () => Date = () => new Date(),
): Promise<KeySummary> {
  const access = await accessOf(connections, tenantId);
  const at = now();
  const audit = auditOf(origin, at, "key.revoke", tenantId, { keyId });
  const known = apiKeyRecord.shape.keyId.safeParse(keyId).success;
  const record = known ? await access.revokeKey(keyId, audit) : undefined;
  if (record === undefined) {
    throw new RefusedError(`tenant ${tenantId} has no key "${keyId}"; see \`fleet keys list ${tenantId}\``);
  }
  return summaryOf(record, at);
}

function summaryOf(record: ApiKeyRecord, at: Date): KeySummary {
  const { secretHash: _, ...shown } = record;
  const expired = shown.expiresAt !== null && Date.parse(shown.expiresAt) <= at.getTime();
  return { ...shown, state: shown.revokedAt !== null ? "revoked" : expired ? "expired" : "active" };
}
