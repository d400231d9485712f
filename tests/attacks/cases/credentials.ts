import { createHmac, createPublicKey } from "node:crypto";
import { makeIssuerKey, mintToken } from "@proveniq/local-cloud/issuer";
import { checksum } from "@proveniq/tenant-context/credentials";
import { cell, farCell } from "../scene.ts";
import { type Attack, bearer, list, tenantHeader } from "./attack.ts";

const refused = ["401 unauthenticated"];
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

/** Who are you: tokens and keys that are not, not yet, no longer, or not here. */
export const credentialAttacks: readonly Attack[] = [
  {
    name: "no credential, or one of another scheme",
    make: (s, door) => [
      list(door, [tenantHeader(s.blue.tenant)]),
      ...["", "Bearer", "Bearer ", `Basic ${btoa(`${s.blue.key}:`)}`, s.red.key, `Token ${s.red.key}`].map(
        (value) => list(door, [["authorization", value], tenantHeader(s.red.tenant)]),
      ),
      list(door, [["x-api-key", s.red.key], tenantHeader(s.red.tenant)]),
      list(door, [tenantHeader(s.red.tenant)], `/v1/items?key=${s.red.key}&access_token=${s.red.person}`),
      list(door, [["cookie", `authorization=Bearer ${s.red.key}`], tenantHeader(s.red.tenant)]),
    ],
    outcomes: refused,
  },
  {
    name: "another Identity tenant's token",
    make: async (s, door) => {
      const of = (firebase: unknown) => s.world.token(cell, { sub: "rosa", tenant: s.red.tenant, firebase });
      const tokens = await Promise.all([{ tenant: "blue-x1y2z" }, { tenant: s.red.tenant }].map(of));
      return tokens.map((token) => list(door, [bearer(token)]));
    },
    outcomes: refused,
  },
  {
    name: "no tenant claim, at a partner",
    make: async (s, door) => {
      const tokens = await Promise.all([
        s.world.token(cell, { sub: "bob" }),
        s.world.token(cell, { sub: "bob", role: "staff" }),
        s.world.token(cell, { sub: "bob", firebase: { tenant: s.blue.tenant } }),
        s.world.token(cell, { sub: "bob", tenantId: s.blue.tenant, tid: s.blue.tenant }),
      ]);
      return tokens.map((token) => list(door, [bearer(token), tenantHeader(s.blue.tenant)]));
    },
    outcomes: refused,
  },
  {
    name: "a tenant claim of the wrong kind",
    make: async (s, door) => {
      const kinds = [[s.blue.tenant], { id: s.blue.tenant }, 7, true, ""];
      const tokens = await Promise.all(kinds.map((tenant) => s.world.token(cell, { sub: "bob", tenant })));
      return tokens.map((token) => list(door, [bearer(token), tenantHeader(s.blue.tenant)]));
    },
    outcomes: ["400 invalid-tenant"],
  },
  {
    name: "expired, not yet valid, issued in the future, without an end, too old",
    make: async (s, door) => {
      const now = Math.floor(Date.now() / 1000);
      const claims = [
        { exp: now - 10 },
        { nbf: now + 60 },
        { iat: now + 60 },
        { exp: undefined },
        { iat: now - 90_000, exp: now + 90_000 },
        { exp: "never" },
        { exp: null },
      ];
      const tokens = await Promise.all(
        claims.map((more) => s.world.token(cell, { sub: "bob", tenant: s.blue.tenant, ...more })),
      );
      return tokens.map((token) => list(door, [bearer(token)]));
    },
    outcomes: refused,
  },
  {
    name: "alg none, in every spelling, with and without a signature",
    make: (s, door) => {
      const claims = part(claimsOf(s.blue.bob));
      return ["none", "None", "NONE", "nOnE", ""].flatMap((alg) =>
        ["", "c2ln"].map((signature) =>
          list(door, [bearer(`${part({ alg, typ: "JWT" })}.${claims}.${signature}`)]),
        ),
      );
    },
    outcomes: refused,
  },
  {
    name: "HS256 with the public key as secret",
    make: (s, door) => {
      const { publicJwk, kid } = s.world.issuerKey;
      const key = createPublicKey({ key: publicJwk, format: "jwk" });
      const secrets = [
        key.export({ type: "spki", format: "pem" }),
        key.export({ type: "spki", format: "der" }),
        JSON.stringify(publicJwk),
        publicJwk.n,
      ];
      const signed = `${part({ alg: "HS256", typ: "JWT", kid })}.${part(claimsOf(s.blue.bob))}`;
      return secrets.map((secret) =>
        list(door, [bearer(`${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`)]),
      );
    },
    outcomes: refused,
  },
  {
    name: "another signer: with our kid, an unknown kid, no kid, and its own key in the header",
    make: async (s, door) => {
      const stranger = await makeIssuerKey();
      const { iss, aud } = claimsOf(s.blue.bob) as { iss: string; aud: string };
      const sign = (header: Record<string, string>) =>
        mintToken(
          stranger,
          { issuer: iss, audience: aud },
          { sub: "bob", tenant: s.blue.tenant },
          { header },
        );
      const tokens = await Promise.all([
        sign({ kid: s.world.issuerKey.kid }),
        sign({}),
        sign({ kid: "" }),
        sign({ kid: "../../etc/passwd" }),
        sign({ jku: "http://127.0.0.1:1/jwks.json" }),
        sign({ jwk: JSON.stringify(stranger.publicJwk) }),
        // A library signs with no key under another algorithm's name: the name is put there afterwards.
        sign({}).then((token) => {
          const header = { alg: "RS512", typ: "JWT", kid: s.world.issuerKey.kid };
          const [, ...rest] = token.split(".");
          return [Buffer.from(JSON.stringify(header)).toString("base64url"), ...rest].join(".");
        }),
      ]);
      return tokens.map((token) => list(door, [bearer(token)]));
    },
    outcomes: refused,
  },
  {
    name: "wrong issuer, wrong audience, and another cell's people",
    make: async (s, door) => {
      const claims = { sub: "bob", tenant: s.blue.tenant };
      const { iss, aud } = claimsOf(s.blue.bob) as { iss: string; aud: string };
      const tokens = await Promise.all([
        s.world.token(farCell, claims),
        s.world.token(cell, { ...claims, iss: "https://securetoken.google.com/proveniq-prod-eu" }),
        s.world.token(cell, { ...claims, iss: `${iss}/` }),
        s.world.token(cell, { ...claims, iss: iss.toUpperCase() }),
        s.world.token(cell, { ...claims, aud: "proveniq-prod" }),
        s.world.token(cell, { ...claims, aud: [aud, "proveniq-prod"] }),
        s.world.token(cell, { ...claims, aud: undefined }),
      ]);
      return tokens.map((token) => list(door, [bearer(token)]));
    },
    outcomes: refused,
  },
  {
    name: "claims changed after signing",
    make: (s, door) => {
      const [header = "", , signature = ""] = s.red.person.split(".");
      return [{ tenant: s.blue.tenant }, { tenant: s.red.tenant, role: "staff" }, { sub: "bob" }].map(
        (more) =>
          list(door, [bearer(`${header}.${part({ ...claimsOf(s.red.person), ...more })}.${signature}`)]),
      );
    },
    outcomes: refused,
  },
  {
    name: "a role that only looks like staff",
    make: async (s, door) => {
      const roles = ["Staff", "admin", ["staff"], { staff: true }, "staff ", true];
      const tokens = await Promise.all(
        roles.map((role) => s.world.token(cell, { sub: "nobody", tenant: s.blue.tenant, role })),
      );
      return tokens.map((token) => list(door, [bearer(token)]));
    },
    // A person of blue who owns nothing: an empty list, and no canary in it.
    outcomes: ["200"],
  },
  {
    name: "a subject that would be a path",
    make: async (s, door) => {
      const subjects = ["../bob", "bob/../bob", "", " bob", "bob\u0000", "__bob__", "бob"];
      const tokens = await Promise.all(
        subjects.map((sub) => s.world.token(cell, { sub, tenant: s.blue.tenant })),
      );
      return tokens.map((token) => list(door, [bearer(token)]));
    },
    outcomes: refused,
  },
  {
    name: "a person by the tenant's own name, whose things are the whole book's",
    make: async (s, door) => [
      list(door, [bearer(await s.world.token(cell, { sub: s.blue.tenant, tenant: s.blue.tenant }))]),
    ],
    outcomes: refused,
  },
  {
    name: "a key with a bad checksum, cut short, or with a character changed",
    make: (s, door) =>
      [
        s.blue.key.slice(0, -1),
        `${s.blue.key}0`,
        s.blue.key.slice(0, -6),
        `${s.blue.key.slice(0, -1)}${s.blue.key.endsWith("0") ? "1" : "0"}`,
        s.blue.key.replace("pvq_dev_", "pvq_live_"),
      ].map((key) => list(door, [bearer(key)])),
    outcomes: refused,
  },
  {
    name: "a key made up for another tenant, its checksum right",
    make: (s, door) => {
      const made = (unsigned: string) => bearer(unsigned + checksum(unsigned));
      const [, , , keyId = "", rest = ""] = s.blue.key.split("_");
      const [, , , myId = "", mine = ""] = s.red.key.split("_");
      return [
        made(`pvq_dev_${s.blue.tenant}_${keyId}_${mine.slice(0, 32)}`),
        made(`pvq_dev_${s.blue.tenant}_${myId}_${mine.slice(0, 32)}`),
        made(`pvq_dev_${s.blue.tenant}_${keyId}_${"0".repeat(32)}`),
        made(`pvq_dev_${s.blue.tenant}_00000000_${rest.slice(0, 32)}`),
        made(`pvq_live_${s.blue.tenant}_${keyId}_${rest.slice(0, 32)}`),
      ].map((credential) => list(door, [credential]));
    },
    outcomes: refused,
  },
  {
    name: "a revoked key, and an expired one",
    make: async (s, door) => {
      const revoked = await s.world.key(s.red.tenant);
      await s.world.revoke(revoked);
      const expired = await s.world.key(s.red.tenant, undefined, new Date(Date.now() + 50));
      await new Promise((resolve) => setTimeout(resolve, 100));
      return [list(door, [bearer(revoked)]), list(door, [bearer(expired)])];
    },
    outcomes: refused,
  },
  {
    name: "a key whose scopes do not reach",
    make: (s, door) => [
      {
        ...list(door, [bearer(s.red.readOnly), ["content-type", "application/json"]]),
        method: "POST",
        body: '{"title":"x","category":"other"}',
      },
      { ...list(door, [bearer(s.red.readOnly)], `/v1/items/${s.ids.blue}`), method: "DELETE" },
    ],
    outcomes: ["403 forbidden"],
  },
  {
    name: "an EU tenant's key at a cell and a host outside the EU",
    make: (s, door) => {
      const host = new URL(s.world.state.hosts["api.proveniq.io"] ?? "").host;
      return [s.red.key, s.red.person, s.red.staff].map((credential) => ({
        ...list(door, [bearer(credential)]),
        host,
      }));
    },
    outcomes: ["421 misdirected-request"],
    // The EU cell answers its own tenants whatever the Host says; the far cell is asked in its own test.
    atCell: ["200"],
  },
  {
    name: "two credentials at once",
    make: (s, door) => [
      list(door, [bearer(s.red.key), bearer(s.blue.key)]),
      list(door, [bearer(`${s.red.key}, Bearer ${s.blue.key}`)]),
      list(door, [bearer(`${s.red.key},${s.blue.key}`)]),
      list(door, [bearer(`${s.red.key} ${s.blue.key}`)]),
    ],
    outcomes: ["400 invalid-request", "400 invalid-tenant", "401 unauthenticated"],
  },
];
