import { readFile } from "node:fs/promises";
import { manifestIssuer } from "@proveniq/contracts";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, test } from "vitest";
import { tokenVerifier } from "./id-token.ts";

test("the manifest lines of the runbook for an issuer of one's own take its tokens, and no stranger's", async () => {
  const page = await readFile(new URL("../../../../docs/runbooks/own-issuer.md", import.meta.url), "utf8");
  const issuer = manifestIssuer.parse(JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? ""));
  expect(issuer.jurisdiction).toBe("eu");
  const [own, stranger] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);
  const jwk = { ...(await exportJWK(own.publicKey)), kid: "k", alg: "RS256", use: "sig" };
  const asked: string[] = [];
  const fetchKeys: typeof fetch = (url) => {
    asked.push(url instanceof Request ? url.url : String(url));
    return Promise.resolve(Response.json({ keys: [jwk] }));
  };
  const verify = tokenVerifier({ issuers: [issuer], fetch: fetchKeys });
  const sign = (key: (typeof own)["privateKey"]) =>
    new SignJWT({ tenant: "atelier-nord" })
      .setProtectedHeader({ alg: "RS256", kid: "k" })
      .setIssuer(issuer.issuer)
      .setAudience(issuer.audience)
      .setSubject("f:0001:anna")
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(key);
  await expect(verify(await sign(own.privateKey))).resolves.toMatchObject({ tenant: "atelier-nord" });
  await expect(verify(await sign(stranger.privateKey))).rejects.toMatchObject({
    code: "unauthenticated",
  });
  expect(new Set(asked)).toEqual(new Set([issuer.jwks]));
});
