import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasTerraform } from "../terraform.ts";
import { Cloud } from "./cloud.ts";
import { controlPlane, hasGo, providerFolder } from "./tools.ts";

const canApply = hasTerraform && hasGo && providerFolder !== undefined && controlPlane !== undefined;

/** Steps that end by themselves in the stand-in, of a fleet of one cell. */
const late = "delegation of proveniq.io";
interface Result {
  steps: { name: string; ended: string; note?: string }[];
}

describe.skipIf(!canApply)("a fleet of one cell, brought up by the commands of docs/cloud.md", () => {
  let cloud: Cloud;
  const confirmed = ["--env", "production", "--confirm", "production"];
  beforeAll(async () => {
    cloud = await Cloud.found(providerFolder ?? "", controlPlane ?? "");
  }, 120_000);
  afterAll(() => cloud.close());

  it("is written down by init", async () => {
    const { code } = await cloud.fleetCommand([
      "cloud",
      "init",
      "--organisation=123456789012",
      "--billing-account=000000-000000-000000",
      "--domain=proveniq.io",
      "--residencies=global",
      "--repository=proveniq/cells",
      ...confirmed,
    ]);
    expect(code).toBe(0);
  });

  it("goes on after it was killed at the end of each step, and waits for a person alone", async () => {
    const killed = new Set<string>();
    for (let runs = 0; ; runs++) {
      expect(runs).toBeLessThan(60);
      const { code, said } = await cloud.bootstrap((line, child) => {
        const [, step] = /^(.+): done$/.exec(line) ?? [];
        if (step === undefined || killed.has(step)) return;
        killed.add(step);
        child.kill("SIGKILL");
      });
      expect(said).not.toContain(": failed");
      if (said.includes("directory's address of global: by hand")) await cloud.writeDirectoryAddresses();
      else if (code !== null) break;
    }
    expect(killed.size).toBeGreaterThan(8);
  }, 1_800_000);

  it("has nothing left to do but what is late, and every second plan is empty", async () => {
    const { code, out } = await cloud.fleetCommand(
      ["cloud", "bootstrap", "--json", ...confirmed, ...cloud.built],
      () => undefined,
    );
    const { steps } = JSON.parse(out) as Result;
    const open = steps.filter((s) => s.ended !== "was done" && s.ended !== "left out").map((s) => s.name);
    expect([code, open]).toEqual([1, [late]]);
  }, 600_000);

  it("is looked at by doctor, which names what is not there and what mends it", async () => {
    const { code, out } = await cloud.fleetCommand([
      "doctor",
      "--env",
      "production",
      "--json",
      ...cloud.built,
    ]);
    const { checks } = JSON.parse(out) as { checks: { name: string; ok: boolean; advice: string }[] };
    expect(code).toBe(1);
    const bad = checks.filter((c) => !c.ok);
    expect(bad.map((c) => c.name)).toContain(late);
    expect(bad.every((c) => c.advice !== "")).toBe(true);
    expect(checks.find((c) => c.name === "state of cell consumer")?.ok).toBe(true);
    expect(checks.find((c) => c.name === "alarms of proveniq-prod")?.ok).toBe(true);
  }, 120_000);
});
