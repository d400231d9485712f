import { createHmac } from "node:crypto";
import { ProblemError } from "@proveniq/contracts";
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { looksLikeToken, tokenVerifier } from "./id-token.ts";

const start = Date.parse("2026-05-01T12:00:00Z");
const seconds = start / 1000;
const issuer = {
  issuer: "https://securetoken.google.com/proveniq-test",
  audience: "proveniq-test",
  jwks: "https://keys.test/jwks",
  algorithm: "RS256" as const,
};
type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let rsa: Pair;
let stranger: Pair;
let ec: Pair;
beforeAll(async () => {
  [rsa, stranger, ec] = await Promise.all([
    generateKeyPair("RS256", { extractable: true }),
    generateKeyPair("RS256", { extractable: true }),
    generateKeyPair("ES256", { extractable: true }),
  ]);
});

/** A source of keys that can be changed, counted and broken, and a clock. */
async function setUp() {
  const source = { kids: ["k1"], calls: 0, down: false };
  const clock = { ms: start };
  const jwk = await exportJWK(rsa.publicKey);
  const fetchKeys: typeof fetch = async () => {
    source.calls += 1;
    await Promise.resolve();
    if (source.down) throw new TypeError("fetch failed");
    return Response.json({ keys: source.kids.map((kid) => ({ ...jwk, kid, alg: "RS256", use: "sig" })) });
  };
  const verify = tokenVerifier({ issuers: [issuer], fetch: fetchKeys, now: () => clock.ms });
  const code = (token: string) =>
    verify(token).then(
      () => "accepted",
      (error: unknown) => (error instanceof ProblemError ? error.code : error),
    );
  return { source, clock, verify, code };
}

const good = { iss: issuer.issuer, aud: issuer.audience, sub: "u_1", iat: seconds, exp: seconds + 3600 };

function sign(claims: JWTPayload = {}, header: { alg?: string; kid?: string } = {}, key = rsa.privateKey) {
  const payload: JWTPayload = { ...good, ...claims };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: "RS256", kid: "k1", typ: "JWT", ...header })
    .sign(key);
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("tokenVerifier", () => {
  it("reads a consumer, a partner's person and staff", async () => {
    const { verify } = await setUp();
    const consumer = {
      issuer: issuer.issuer,
      subject: "u_1",
      tenant: undefined,
      identityTenant: null,
      staff: false,
    };
    const expiresAtMs = start + 3_600_000;
    expect(await verify(await sign())).toEqual({ ...consumer, expiresAtMs });
    const firebase = { sign_in_provider: "password", tenant: "carrier-a-x1y2z" };
    expect(await verify(await sign({ tenant: "carrier-a", firebase }))).toEqual({
      issuer: issuer.issuer,
      subject: "u_1",
      tenant: "carrier-a",
      identityTenant: "carrier-a-x1y2z",
      staff: false,
      expiresAtMs,
    });
    expect((await verify(await sign({ tenant: "carrier-a", role: "staff" }))).staff).toBe(true);
  });

  it("makes nobody staff without a tenant, or by a role that only looks like it", async () => {
    const { verify } = await setUp();
    expect((await verify(await sign({ role: "staff" }))).staff).toBe(false);
    for (const role of ["Staff", "admin", ["staff"], true, { staff: true }]) {
      expect((await verify(await sign({ tenant: "carrier-a", role }))).staff).toBe(false);
    }
  });

  it.each<[string, JWTPayload]>([
    ["expired", { exp: seconds - 6 }],
    ["not yet valid", { nbf: seconds + 6 }],
    ["issued in the future", { iat: seconds + 6 }],
    ["older than a day although it says it lives on", { iat: seconds - 86_500, exp: seconds + 9e6 }],
    ["of another issuer", { iss: "https://securetoken.google.com/other" }],
    ["of an issuer that only begins like ours", { iss: `${issuer.issuer}.evil.test` }],
    ["without an issuer", { iss: undefined }],
    ["for another audience", { aud: "other" }],
    ["for several audiences", { aud: [issuer.audience, "other"] }],
    ["for our audience in a list", { aud: [issuer.audience] }],
    ["without a subject", { sub: undefined }],
    ["with an empty subject", { sub: "" }],
    ["with a subject that would be a path", { sub: "../x" }],
    ["without an end", { exp: undefined }],
    ["with an end that no calendar has", { exp: 1e300 }],
    ["with an end after the year 9999", { exp: 253_402_300_800 }],
    ["with a tenant that is no text", { tenant: ["carrier-a"] }],
    ["with a null tenant", { tenant: null }],
    ["with an identity tenant that is no text", { firebase: { tenant: ["x"] } }],
    ["with a firebase claim that is no object", { firebase: "x" }],
  ])("refuses one that is %s", async (_, claims) => {
    const { code } = await setUp();
    expect(await code(await sign(claims))).toBe("unauthenticated");
  });

  it("tolerates clocks that differ by five seconds", async () => {
    const { code } = await setUp();
    for (const claims of [{ exp: seconds - 4 }, { nbf: seconds + 5 }, { iat: seconds + 5 }]) {
      expect(await code(await sign(claims))).toBe("accepted");
    }
  });

  it("refuses another signer, algorithm or no signature at all", async () => {
    const { code } = await setUp();
    const [header = "", payload = "", signature = ""] = (await sign()).split(".");
    const spki = await exportSPKI(rsa.publicKey);
    const hs = `${part({ alg: "HS256", kid: "k1" })}.${payload}`;
    const forged = [
      await sign({}, {}, stranger.privateKey),
      await sign({}, { alg: "ES256" }, ec.privateKey),
      await sign({}, { alg: "PS256" }).catch(
        () => `${part({ alg: "PS256", kid: "k1" })}.${payload}.${signature}`,
      ),
      `${part({ alg: "RS512", kid: "k1" })}.${payload}.${signature}`,
      `${hs}.${createHmac("sha256", spki).update(hs).digest("base64url")}`,
      ...["none", "None", "NONE", "nOnE", ""].map((alg) => `${part({ alg, kid: "k1" })}.${payload}.`),
      `${part({ alg: "none" })}.${payload}.${signature}`,
      `${header}.${part({ ...good, sub: "u_2" })}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${part({ alg: "RS256", kid: "k1", crit: ["x"], x: 1 })}.${payload}.${signature}`,
      `${part({ alg: "RS256", jwk: await exportJWK(stranger.publicKey) })}.${payload}.${signature}`,
      "a.b.c",
      "..",
      "",
    ];
    for (const token of forged)
      expect([token.slice(0, 40), await code(token)]).toEqual([token.slice(0, 40), "unauthenticated"]);
  });

  it("asks the issuer once for many who wait, and not again while the keys are fresh", async () => {
    const { source, clock, code } = await setUp();
    const token = await sign();
    expect(await Promise.all(Array.from({ length: 20 }, () => code(token)))).toEqual(
      Array.from({ length: 20 }, () => "accepted"),
    );
    clock.ms += 9 * 60_000;
    await code(token);
    expect(source.calls).toBe(1);
  });

  it("asks again for an unknown key id, but a flood of them costs one request per half minute", async () => {
    const { source, clock, code } = await setUp();
    await code(await sign());
    const flood = async () => {
      for (let n = 0; n < 50; n += 1)
        expect(await code(await sign({}, { kid: `x${n}` }))).toBe("unauthenticated");
    };
    await flood();
    expect(source.calls).toBe(1);
    clock.ms += 31_000;
    await flood();
    expect(source.calls).toBe(2);
  });

  it("finds a new key after a rotation", async () => {
    const { source, clock, code } = await setUp();
    await code(await sign());
    source.kids = ["k1", "k2"];
    clock.ms += 31_000;
    expect(await code(await sign({}, { kid: "k2" }))).toBe("accepted");
  });

  it("forgets a withdrawn key within the freshness time", async () => {
    const { source, clock, code } = await setUp();
    await code(await sign());
    source.kids = ["k2"];
    clock.ms += 11 * 60_000;
    await code(await sign());
    await new Promise((resolve) => setImmediate(resolve));
    expect(await code(await sign())).toBe("unauthenticated");
  });

  it("goes on with the last known keys for a day when their source is down", async () => {
    const { source, clock, code } = await setUp();
    await code(await sign());
    source.down = true;
    clock.ms += 23 * 3600_000;
    const later = { iat: clock.ms / 1000, exp: clock.ms / 1000 + 60 };
    expect(await code(await sign(later))).toBe("accepted");
    clock.ms += 2 * 3600_000;
    const evenLater = { iat: clock.ms / 1000, exp: clock.ms / 1000 + 60 };
    expect(await code(await sign(evenLater))).toBe("identity-unavailable");
  });

  it("says so when it never had keys, and comes back when their source does", async () => {
    const { source, clock, code } = await setUp();
    source.down = true;
    expect(await code(await sign())).toBe("identity-unavailable");
    source.down = false;
    expect(await code(await sign())).toBe("identity-unavailable");
    clock.ms += 1_001;
    expect(await code(await sign())).toBe("accepted");
    expect(source.calls).toBe(2);
  });
});

describe("looksLikeToken", () => {
  it("tells tokens from keys and from rubbish", async () => {
    expect(looksLikeToken(await sign())).toBe(true);
    for (const text of ["", "a.b", "a.b.c.d", "a..c", "pvq_live_carrier-a_x", "a.b.c\n", "a.b. c"]) {
      expect(looksLikeToken(text)).toBe(false);
    }
  });
});
