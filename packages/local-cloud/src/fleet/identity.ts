import { readFile, rename, writeFile } from "node:fs/promises";
import { makeApiKey } from "@proveniq/control-plane/access";
import { z } from "zod";
import { developmentIssuer, loadIssuerKey, mintToken } from "../issuer/index.ts";
import type { SeedTenant } from "./seeds.ts";
import type { FleetState } from "./state.ts";

/** Who a token is for. */
export interface LocalPerson {
  subject: string;
  /** Whose people they are: a tenant of this cell, or without one its consumers. */
  cell: string;
  tenant?: string;
  staff?: boolean;
  /** Identity Platform's id of the tenant that they signed in to. */
  identityTenant?: string;
  /** Seconds until the token expires; an hour unless told otherwise. */
  lifetime?: number;
}

const storedKeys = z.record(z.string(), z.string());

/**
 * A development key for each partner among the tenants: those kept in `file`, and new ones for the others. Throws when the file
 * holds something else.
 */
export async function localKeys(
  file: string,
  tenants: readonly SeedTenant[],
): Promise<Record<string, string>> {
  const known = await readKeys(file);
  const partners = tenants.filter((tenant) => tenant.partner);
  return Object.fromEntries(
    await Promise.all(
      partners.map(
        async ({ tenantId }) =>
          [tenantId, known[tenantId] ?? (await makeApiKey("dev", tenantId)).key] as const,
      ),
    ),
  );
}

/** Keep keys in `file`, which only its owner may read, so that one in somebody's script is good tomorrow too. */
export async function keepLocalKeys(file: string, keys: Readonly<Record<string, string>>): Promise<void> {
  const all = { ...(await readKeys(file)), ...keys };
  await writeFile(`${file}.${process.pid}.new`, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.${process.pid}.new`, file);
}

async function readKeys(file: string): Promise<Record<string, string>> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw error;
  });
  try {
    return storedKeys.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${file} holds no keys: delete it, and the next start makes new ones.`, { cause });
  }
}

/** A token that the cells of this fleet believe: signed with the key that the fleet's issuer publishes. */
export async function mintLocalToken(
  state: Pick<FleetState, "identity" | "cells">,
  person: LocalPerson,
): Promise<string> {
  const { subject, cell, tenant, staff = false, identityTenant, lifetime } = person;
  const place = state.cells[cell];
  if (place === undefined) throw new Error(`No cell ${cell} runs`);
  const key = await loadIssuerKey(state.identity.issuerKeyFile);
  const trust = developmentIssuer(state.identity.issuer, place.project);
  const firebase = {
    sign_in_provider: "custom",
    ...(identityTenant === undefined ? {} : { tenant: identityTenant }),
  };
  const claims = {
    sub: subject,
    ...(tenant === undefined ? {} : { tenant }),
    ...(staff ? { role: "staff" } : {}),
    firebase,
  };
  return mintToken(key, trust, claims, lifetime === undefined ? {} : { lifetime });
}
