import { fileURLToPath } from "node:url";
import type { ManifestIssuer } from "@proveniq/contracts";
import { expect, test } from "vitest";
import { loadFleet } from "../fleet/load.ts";
import { dayOf, identityFaults, judgeIssuer } from "./identity.ts";

const infra = fileURLToPath(new URL("../../../../infra", import.meta.url));
const own: ManifestIssuer = {
  issuer: "https://id.example.eu/realms/x",
  audience: "x",
  jwks: "https://id.example.eu/keys",
  algorithm: "RS256",
  jurisdiction: "eu",
};
const firebase: ManifestIssuer = { ...own, issuer: "https://securetoken.google.com/x", jurisdiction: "us" };
const exemption = {
  name: "until-then",
  reason: "until the issuer of our own is in use",
  until: "2026-12-31",
};
const eu = { residency: "eu" } as const;

test.each<[string, ManifestIssuer, "eu" | "us" | "global", RegExp | null]>([
  ["an issuer inside", own, "eu", null],
  ["Firebase where a promise of the US is made", firebase, "us", null],
  ["Firebase where none is made", firebase, "global", null],
  [
    "Firebase in the EU",
    firebase,
    "eu",
    /^Firebase Authentication processes in "us", and the promise is "eu"$/,
  ],
  ["Firebase that says it is in the EU", { ...firebase, jurisdiction: "eu" }, "eu", /processes in "us"$/],
  [
    "Firebase's keys under another name",
    {
      ...own,
      jwks: "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
    },
    "eu",
    /Firebase Authentication processes in "us"$/,
  ],
  ["one of our own elsewhere", { ...own, jurisdiction: "other" }, "eu", /it processes in "other"/],
  ["one that does not say where", { ...own, jurisdiction: undefined }, "global", /add jurisdiction/],
])("%s", (_, issuer, residency, breach) => {
  const verdict = judgeIssuer(issuer, { residency }, "2026-12-01");
  expect(verdict.exemption).toBeNull();
  expect(verdict.breach ?? "none").toMatch(breach ?? /^none$/);
});

test("an exemption holds up to its last day, is told by name, and covers no false word", () => {
  const exempted = { ...firebase, exemption };
  expect(judgeIssuer(exempted, eu, "2026-12-31")).toEqual({
    breach: null,
    exemption: "exempted by until-then until 2026-12-31: until the issuer of our own is in use",
  });
  expect(judgeIssuer(exempted, eu, "2027-01-01").breach).toMatch(
    /the exemption until-then ended on 2026-12-31$/,
  );
  expect(judgeIssuer({ ...exempted, jurisdiction: "eu" }, eu, "2026-12-31").breach).toMatch(
    /processes in "us"/,
  );
});

// Fails on the day after an exemption ends: that is what its last day is for.
test("every issuer of this repository's cells is inside the cell's residency, or exempted by name today", async () => {
  const { manifests } = await loadFleet(infra);
  const today = dayOf(new Date());
  expect(Object.entries(manifests).flatMap(([id, m]) => identityFaults(id, m, today))).toEqual([]);
});
