import { describe, expect, it } from "vitest";
import { loadConfig, loadFunctionsConfig, replicatorConfig } from "./config.ts";
import { testManifest } from "./testing/manifest.ts";

const env = {
  CELL_ID: "eu",
  CELL_MANIFEST: JSON.stringify(testManifest),
  PROVENIQ_ENV: "production",
  ARTEFACT_DIGEST: "a".repeat(64),
  GIT_COMMIT: "3825882",
  PROOF_SECRETS: `eu:aaaaaa.${"a".repeat(43)},us:bbbbbb.${"b".repeat(43)}`,
};
const development = {
  ...env,
  PROVENIQ_ENV: "development",
  DEVELOPMENT_ISSUER: JSON.stringify({
    issuer: "http://127.0.0.1:8090/proveniq-prod-eu",
    audience: "proveniq-prod-eu",
    jwks: "http://127.0.0.1:8090/jwks.json",
    algorithm: "RS256",
  }),
  INSTANCES: "1",
  FIRESTORE_EMULATOR_HOST: "127.0.0.1:8201",
};

/** What the error says; fails when there is none. */
function faultsOf(given: Record<string, string>): string {
  try {
    loadConfig(given);
  } catch (error) {
    return String(error);
  }
  throw new Error("it was accepted");
}

describe("loadConfig", () => {
  it("leaves listening to a functions platform, whatever it calls a port", () => {
    expect(loadFunctionsConfig({ ...env, PORT: "/tmp/fire_emu_1.sock" })).toMatchObject({ cellId: "eu" });
    expect(() => loadConfig({ ...env, PORT: "/tmp/fire_emu_1.sock" })).toThrow("PORT");
  });

  it("reads what clients may take up, with defaults by service", () => {
    const { api, bulk } = loadConfig(env).edge;
    expect([api.limits.headMs, api.limits.requestMs, bulk.limits.requestMs]).toEqual([
      10_000, 30_000, 120_000,
    ]);
    const edge = loadConfig({ ...env, REQUEST_SECONDS: "5", CLIENT_CONNECTIONS: "7" }).edge;
    expect(edge.bulk.limits).toMatchObject({ headMs: 5_000, requestMs: 5_000, maxClients: 7 });
    expect(faultsOf({ ...env, HEAD_SECONDS: "soon" })).toContain("HEAD_SECONDS");
  });

  it("reads a cell's environment", () => {
    expect(loadConfig(env)).toMatchObject({ cellId: "eu", port: 8080, manifest: { region: "europe-west1" } });
    expect(loadConfig({ ...development, PORT: "8111", DEFAULT_TENANT: "consumers" })).toMatchObject({
      port: 8111,
      defaultTenant: "consumers",
      emulatorHost: "127.0.0.1:8201",
    });
  });

  it("trusts the manifest's issuers, and in development the one it is given instead", () => {
    expect(loadConfig(env).issuers).toEqual(testManifest.issuers);
    expect(loadConfig(env).instances).toBe(testManifest.capacity.apiInstances);
    const local = loadConfig(development);
    expect(local.issuers.map((i) => i.issuer)).toEqual(["http://127.0.0.1:8090/proveniq-prod-eu"]);
    expect(local.instances).toBe(1);
  });

  it("refuses a development key anywhere outside development, and does not repeat it", () => {
    const faults = faultsOf({ ...env, SOME_SETTING: "Bearer pvq_dev_carrier-a_abcdefgh_secret" });
    expect(faults).toContain("SOME_SETTING: holds a development key");
    expect(faults).not.toContain("abcdefgh");
  });

  it("knows its own residency's secrets alone, and in production believes nobody without one", () => {
    expect(loadConfig(env).proof).toMatchObject({ zone: "cells.proveniq.io", secrets: [{ id: "aaaaaa" }] });
    const { PROOF_SECRETS: _, ...without } = env;
    expect(loadConfig(without).proof).toEqual({ zone: "cells.proveniq.io", secrets: [] });
    expect(loadConfig({ ...development, PROOF_SECRETS: "" }).proof).toBeUndefined();
    const faults = faultsOf({ ...env, PROOF_SECRETS: "eu:aaaaaa.tooshort" });
    expect(faults).toContain("PROOF_SECRETS: must be residency:id.secret");
    expect(faults).not.toContain("tooshort");
  });

  it("never takes the cloud's databases for development", () => {
    const { FIRESTORE_EMULATOR_HOST: _, ...lost } = development;
    expect(faultsOf(lost)).toContain("FIRESTORE_EMULATOR_HOST: is needed in development");
    const replicator = { ...lost, SERVICE: "replicate", REPLICA_EMULATOR_HOST: "127.0.0.1:1" };
    const faults = faultsOf({ ...replicator, CENTRAL_PROJECT: "central", CENTRAL_MARKET_DATABASE: "market" });
    expect(faults).toContain("CENTRAL_EMULATOR_HOST: is needed in development");
    expect(faults).not.toContain("FIRESTORE_EMULATOR_HOST: is needed");
  });

  it("needs to know the centre to replicate, and only then", () => {
    const faults = faultsOf({ ...env, SERVICE: "replicate" });
    expect(faults).toContain("CENTRAL_PROJECT: is needed to replicate");
    expect(faults).toContain("CENTRAL_MARKET_DATABASE: is needed to replicate");
    const centre = { CENTRAL_PROJECT: "proveniq-central", CENTRAL_MARKET_DATABASE: "market" };
    expect(replicatorConfig(loadConfig({ ...env, ...centre, SERVICE: "replicate" }))).toMatchObject({
      central: { project: "proveniq-central", marketDatabase: "market", emulatorHost: undefined },
      leaseMs: 15_000,
    });
    expect(() => replicatorConfig(loadConfig(env))).toThrow(/CENTRAL_PROJECT/);
    const hosts = { REPLICA_EMULATOR_HOST: "127.0.0.1:1", CENTRAL_EMULATOR_HOST: "127.0.0.1:2" };
    const local = { ...env, ...centre, ...hosts, PROVENIQ_ENV: "development", SERVICE: "replicate" };
    expect(loadConfig(local)).toMatchObject({
      emulatorHost: "127.0.0.1:1",
      central: { emulatorHost: "127.0.0.1:2" },
    });
    expect(faultsOf({ ...env, ...hosts })).toContain("REPLICA_EMULATOR_HOST: is refused outside development");
  });

  it("takes an empty variable for an unset one", () => {
    expect(
      loadConfig({ ...env, DEFAULT_TENANT: "", FIRESTORE_EMULATOR_HOST: "" }).defaultTenant,
    ).toBeUndefined();
  });

  it("names every fault at once, and no value", () => {
    const manifest = JSON.stringify({ ...testManifest, region: "us-central1", surprise: 1 });
    const faults = faultsOf({
      CELL_ID: "Not A Cell",
      CELL_MANIFEST: manifest,
      PROVENIQ_ENV: "production",
      ARTEFACT_DIGEST: "short",
      PORT: "99999",
      DEVELOPMENT_ISSUER: "s3cret-value",
    });
    for (const name of ["CELL_ID", "CELL_MANIFEST /surprise", "ARTEFACT_DIGEST", "GIT_COMMIT", "PORT"]) {
      expect(faults).toContain(name);
    }
    expect(faults).not.toContain("s3cret-value");
    expect(faults).not.toContain("Not A Cell");
  });

  it.each([
    ["not JSON", "{"],
    ["null", "null"],
    ["a list", "[]"],
    ["two thousand deep", "[".repeat(2_000) + "]".repeat(2_000)],
    ["outside its residency", JSON.stringify({ ...testManifest, region: "us-central1" })],
  ])("refuses a manifest that is %s", (_, text) => {
    expect(faultsOf({ ...env, CELL_MANIFEST: text })).toContain("CELL_MANIFEST");
  });

  it.each(["DEVELOPMENT_ISSUER", "INSTANCES", "FIRESTORE_EMULATOR_HOST", "FIREBASE_AUTH_EMULATOR_HOST"])(
    "refuses %s outside development",
    (name) => {
      expect(faultsOf({ ...env, [name]: "127.0.0.1:8201" })).toContain(
        `${name}: is refused outside development`,
      );
    },
  );
});
