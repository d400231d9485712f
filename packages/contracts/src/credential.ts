import { z } from "zod";
import { ownerId, tenantId } from "./ids.ts";

/** What a credential may do. `admin` is for the tenant's own settings and keys; it does not imply the others. */
export const scope = z.enum(["items:read", "items:write", "imports", "admin"]).meta({ id: "Scope" });
export type Scope = z.infer<typeof scope>;

/** `key`: a partner's API key. `staff`: a person with the tenant's staff role. `person`: anybody else with a token. */
export const principalKind = z.enum(["key", "staff", "person"]);
export type PrincipalKind = z.infer<typeof principalKind>;

/** `live` keys work in production, `dev` keys in development: never the other way round. */
export const keyEnvironment = z.enum(["live", "dev"]);
export type KeyEnvironment = z.infer<typeof keyEnvironment>;

/** Stored at tenants/{t}/apiKeys/{keyId}. The secret itself is stored nowhere. */
export const apiKeyRecord = z.strictObject({
  keyId: z.string().regex(/^[a-z0-9]{8}$/),
  tenantId,
  environment: keyEnvironment,
  label: z.string().min(1).max(80).describe("For people"),
  secretHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe("SHA-256 of the secret, hex"),
  scopes: z.array(scope).min(1),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
});
export type ApiKeyRecord = z.infer<typeof apiKeyRecord>;

/** Who signs people's tokens: Firebase Authentication, Identity Platform, or any OpenID provider. */
export const tokenIssuer = z.strictObject({
  issuer: z.url().describe("The exact `iss` claim"),
  audience: z.string().min(1).max(200).describe("The exact `aud` claim: the Firebase project id"),
  jwks: z.url().describe("Where its public keys are"),
  algorithm: z.enum(["RS256", "ES256"]).describe("The only one accepted from it"),
});
export type TokenIssuer = z.infer<typeof tokenIssuer>;

/** Where an issuer processes people's identities. */
export const issuerJurisdiction = z.enum(["eu", "us", "other"]);
export type IssuerJurisdiction = z.infer<typeof issuerJurisdiction>;

/** An issuer as a manifest names it. What is said here beside the token's own fields is for those who judge, not for the cell. */
export const manifestIssuer = tokenIssuer.extend({
  jurisdiction: issuerJurisdiction
    .optional()
    .describe("Where it processes people's identities; every manifest of this repository says so"),
  exemption: z
    .strictObject({
      name: z.string().regex(/^[a-z0-9-]{3,60}$/, "must be 3 to 60 lower-case letters, digits or hyphens"),
      reason: z.string().min(20).max(400),
      until: z.iso.date().describe("The last day on which it holds (UTC)"),
    })
    .optional()
    .describe("Why it is trusted although it processes outside of the cell's residency"),
});
export type ManifestIssuer = z.infer<typeof manifestIssuer>;

/**
 * Issuers whose place of processing their own documents say, by how `issuer` or `jwks` begins. Firebase Authentication:
 * firebase.google.com/support/privacy lists it under services that process in the United States only. Identity Platform signs with the
 * same issuer, and its documents name no other place to choose.
 */
export const knownIssuers = [
  { begins: "https://securetoken.google.com/", name: "Firebase Authentication", jurisdiction: "us" },
  {
    begins: "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@",
    name: "Firebase Authentication",
    jurisdiction: "us",
  },
  { begins: "https://accounts.google.com", name: "Google Accounts", jurisdiction: "other" },
  { begins: "https://login.microsoftonline.com/", name: "Microsoft Entra ID", jurisdiction: "other" },
  { begins: "https://appleid.apple.com", name: "Sign in with Apple", jurisdiction: "other" },
] as const satisfies readonly { begins: string; name: string; jurisdiction: IssuerJurisdiction }[];

/** What a tenant decides about itself, beside its claim in its own database. */
export const tenantSettings = z.strictObject({
  issuer: z
    .url()
    .nullable()
    .describe(
      "The one issuer that signs its people in, of those the cell's manifest lists. Null: the first of them. Exactly one, " +
        "because two issuers may give the same subject to two people",
    ),
  identityTenant: z
    .string()
    .min(1)
    .max(60)
    .nullable()
    .describe(
      "The Identity Platform tenant its people sign in to: `firebase.tenant` of their tokens must equal it. Null: none",
    ),
  origins: z
    .array(
      z.url({ protocol: /^https?$/ }).refine((u) => new URL(u).origin === u, { error: "must be an origin" }),
    )
    .max(50)
    .describe("Browser origins that may call for this tenant"),
  requestsPerSecond: z
    .int()
    .min(1)
    .max(100_000)
    .nullable()
    .describe("Instead of the cell's quota for a tenant. Null: the cell's"),
});
export type TenantSettings = z.infer<typeof tenantSettings>;

/** What holds for a tenant that has set nothing. */
export const defaultTenantSettings: Readonly<TenantSettings> = Object.freeze({
  issuer: null,
  identityTenant: null,
  origins: [],
  requestsPerSecond: null,
});

/** GET /v1/me. */
export const me = z
  .strictObject({
    tenantId,
    kind: principalKind,
    id: z.string(),
    ownerId: ownerId.optional().describe("Set for people: only items with this owner are seen"),
    scopes: z.array(scope),
    expiresAt: z.iso.datetime().nullable().describe("When the credential ends"),
    quota: z.strictObject({ requestsPerSecond: z.number(), burst: z.int() }),
  })
  .meta({ id: "Me" });
export type Me = z.infer<typeof me>;
