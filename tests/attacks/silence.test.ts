import { randomUUID } from "node:crypto";
import { controlClient } from "@proveniq/local-cloud/control";
import { checksum } from "@proveniq/tenant-context/credentials";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { cell, type Scene, setScene } from "./scene.ts";
import { codeOf, send, told } from "./wire.ts";

const fleet = inject("fleet");
let scene: Scene;
beforeAll(async () => {
  scene = await setScene(fleet);
});
afterAll(() => scene.world.close());

/** A key of a tenant that looks right and is made up. */
function madeUpKey(tenant: string): string {
  const random = randomUUID().replaceAll("-", "");
  const unsigned = `pvq_dev_${tenant}_${random.slice(0, 8)}_${random}`;
  return unsigned + checksum(unsigned);
}

describe("before authentication", () => {
  const strangers = ["unknown-tenant", "also-unknown", "attack-navy", "carrier-a"];
  const answers = (
    origin: string,
    host: string,
    path: string,
    headersOf: (tenant: string) => [string, string][],
  ) =>
    Promise.all(
      strangers.map(async (tenant) =>
        told(await send(origin, { path: path.replace("$", tenant), host, headers: headersOf(tenant) })),
      ),
    );

  test.each([
    ["without a credential", () => []],
    ["with rubbish", () => [["authorization", "Bearer rubbish"] as [string, string]]],
    [
      "with a made-up key",
      (tenant: string) => [["authorization", `Bearer ${madeUpKey(tenant)}`] as [string, string]],
    ],
  ])("unknown and foreign tenants answer alike %s", async (_, headersOf) => {
    for (const { origin, host } of scene.world.doors(cell)) {
      const inPath = await answers(origin, host, "/t/$/v1/items", headersOf);
      const inHeader = await answers(origin, host, "/v1/items", (t) => [["x-tenant-id", t], ...headersOf(t)]);
      expect(new Set(inPath).size).toBe(1);
      expect(new Set(inHeader).size).toBe(1);
    }
  });

  test("a tenant that is here says no more to a stranger than 401, whatever key is made up", async () => {
    for (const { origin, host } of scene.world.doors(cell)) {
      const seen = await Promise.all(
        [madeUpKey(scene.blue.tenant), madeUpKey(scene.red.tenant), "rubbish"].map(async (credential) => {
          const headers = [
            ["authorization", `Bearer ${credential}`],
            ["x-tenant-id", tenantOf(credential)],
          ] as const;
          return told(await send(origin, { path: "/v1/items", host, headers }));
        }),
      );
      expect(new Set(seen).size).toBe(1);
    }
  });

  const tenantOf = (credential: string) => credential.split("_")[2] ?? scene.blue.tenant;
});

describe("floods of made-up names", () => {
  const callsTo = async (name: string) => {
    const report = await controlClient(fleet.control).relays();
    return report[name]?.counters.calls ?? Number.NaN;
  };

  test("of tenants cost neither the directory nor a database anything at the router", async () => {
    const names = [...Object.keys(fleet.cells), "central"];
    const before = await Promise.all(names.map(callsTo));
    for (let n = 0; n < 300; n += 1) {
      const tenant = `flood-${n % 2 === 0 ? "same" : randomUUID().slice(0, 8)}`;
      const { origin, host } = scene.world.doors(cell)[0] ?? { origin: "", host: "" };
      const headers = [["authorization", `Bearer ${madeUpKey(tenant)}`]] as const;
      expect(codeOf(await send(origin, { path: "/v1/items", host, headers }))).toBe("misdirected-request");
    }
    const after = await Promise.all(names.map(callsTo));
    // Readiness and replicas ask now and then, whatever the router does.
    for (const [n, name] of names.entries())
      expect([name, (after[n] ?? 0) - (before[n] ?? 0) < 60]).toEqual([name, true]);
  });

  test("of tenants and keys are bounded at a cell, and its own tenants are served meanwhile", async () => {
    const origin = scene.world.apiOf(cell);
    expect((await scene.world.call(cell, scene.red.key, "GET", "/v1/me")).status).toBe(200);
    const outcomes = new Map<string, number>();
    const refused = () => outcomes.get("429 too-many-requests") ?? 0;
    const started = performance.now();
    // A slow machine floods slowly: go on until it is refused.
    for (let round = 0; round < 30 && refused() < 50; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, n) => {
          const tenant = n % 2 === 0 ? `flood-${randomUUID().slice(0, 8)}` : scene.red.tenant;
          const headers = [["authorization", `Bearer ${madeUpKey(tenant)}`]] as const;
          const answer = await send(origin, { path: "/v1/items", host: "cell", headers });
          const outcome = `${answer.status} ${codeOf(answer)}`;
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }),
      );
      expect((await scene.world.call(cell, scene.red.key, "GET", "/v1/me")).status).toBe(200);
      expect((await scene.world.call(cell, scene.blue.bob, "GET", "/v1/me")).status).toBe(200);
    }
    expect([...outcomes.keys()].sort()).toEqual([
      "401 unauthenticated",
      "421 misdirected-request",
      "429 too-many-requests",
    ]);
    const seconds = (performance.now() - started) / 1000;
    // Looked for are keys of one tenant, and tenants that nobody is; each has a budget, paid before it is looked.
    expect(outcomes.get("401 unauthenticated")).toBeLessThanOrEqual(200 + 20 * seconds);
    expect(outcomes.get("421 misdirected-request")).toBeLessThanOrEqual(2_000 + 200 * seconds);
    // Another tenant's made-up keys are looked for all the while: its budget is its own.
    const theirs = [["authorization", `Bearer ${madeUpKey(scene.blue.tenant)}`]] as const;
    expect(codeOf(await send(origin, { path: "/v1/items", host: "cell", headers: theirs }))).toBe(
      "unauthenticated",
    );
  });
});
