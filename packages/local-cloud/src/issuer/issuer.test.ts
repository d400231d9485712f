import { createPublicKey, verify } from "node:crypto";
import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  developmentIssuer,
  type IssuerKey,
  type IssuerServer,
  loadIssuerKey,
  makeIssuerKey,
  mintToken,
  serveIssuer,
} from "./index.ts";

let key: IssuerKey;
let server: IssuerServer;
beforeAll(async () => {
  key = await makeIssuerKey();
  server = await serveIssuer(key, 0);
});
afterAll(() => server.stop());
const trust = () => developmentIssuer(server.origin, "proveniq-test");

describe("the development issuer", () => {
  it("mints tokens that another implementation verifies from its published key", async () => {
    const { issuer, audience, jwks } = trust();
    const token = await mintToken(key, trust(), { sub: "u_1", tenant: "carrier-a" });
    const [header = "", payload = "", signature = ""] = token.split(".");
    const { keys } = (await (await fetch(jwks)).json()) as { keys: [typeof key.publicJwk] };
    const published = createPublicKey({ key: keys[0], format: "jwk" });
    const bytes = Buffer.from(signature, "base64url");
    expect(verify("sha256", Buffer.from(`${header}.${payload}`), published, bytes)).toBe(true);
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
    expect(read(header)).toEqual({ alg: "RS256", typ: "JWT", kid: key.kid });
    const claims = read(payload) as { iat: number; exp: number };
    expect(claims).toMatchObject({ sub: "u_1", tenant: "carrier-a", iss: issuer, aud: audience });
    expect(claims.exp - claims.iat).toBe(3600);
  });

  it("describes itself the OpenID way and shows nothing private", async () => {
    const { issuer, jwks } = trust();
    const about = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as object;
    expect(about).toMatchObject({ issuer, jwks_uri: jwks });
    const keys = await (await fetch(jwks)).text();
    expect(JSON.parse(keys)).toEqual({ keys: [key.publicJwk] });
    expect(Object.keys(key.publicJwk).sort()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
  });

  it("gives each project an issuer and an audience of its own", () => {
    const [one, other] = ["proveniq-prod", "proveniq-prod-eu"].map((p) =>
      developmentIssuer(server.origin, p),
    );
    expect(one?.issuer).not.toBe(other?.issuer);
    expect([one?.audience, other?.audience]).toEqual(["proveniq-prod", "proveniq-prod-eu"]);
  });

  it.each(["/", "/mint", "/jwks.json/../issuer-key.json", "/jwks.json?x"])(
    "answers 404 to %s",
    async (path) => {
      expect((await fetch(server.origin + path)).status).toBe(404);
    },
  );
});

describe("loadIssuerKey", () => {
  it("makes a key once, for its owner's eyes, and finds it again", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "issuer-")), "key.json");
    const first = await loadIssuerKey(file);
    const again = await loadIssuerKey(file);
    expect(again.publicJwk).toEqual(first.publicJwk);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toContain('"d"');
  });

  it("says what to do about a file that holds something else", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "issuer-")), "key.json");
    await writeFile(file, "{}");
    await expect(loadIssuerKey(file)).rejects.toThrow("delete it");
  });
});
