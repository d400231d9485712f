import { makeApiKey } from "@proveniq/control-plane/access";
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

/** A development key for each partner among the tenants, new with each start. */
export async function makeLocalKeys(tenants: readonly SeedTenant[]): Promise<Record<string, string>> {
  const partners = tenants.filter((tenant) => tenant.partner);
  return Object.fromEntries(
    await Promise.all(
      partners.map(async ({ tenantId }) => [tenantId, (await makeApiKey("dev", tenantId)).key] as const),
    ),
  );
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
