import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plantedFaults } from "./faults/index.ts";
import { onlyCases } from "./fleet.ts";
import { faultsOf, plan } from "./plans.ts";
import { engine, hasTerraform, Infra, roots } from "./terraform.ts";

let sound: Infra;

/** What is said against a copy in which one thing was changed. */
async function said(fault: (typeof plantedFaults)[number]): Promise<string> {
  const infra = await Infra.copy(sound.repository);
  try {
    infra.edit(fault.file, fault.from, fault.to);
    const planned = (await plan(infra, fault.root, [fault.plan])).get(fault.plan) ?? [];
    return faultsOf(infra, fault.root, fault.plan, planned).join("\n");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    infra.close();
  }
}

describe.skipIf(!hasTerraform)("a mistake in infra/", () => {
  beforeAll(async () => {
    sound = await Infra.copy();
    onlyCases(sound);
    await Promise.all(roots.map((root) => sound.init(root)));
  });
  afterAll(() => sound.close());

  it("is planted often enough", () => expect(plantedFaults.length).toBeGreaterThanOrEqual(100));

  const seen = plantedFaults.filter((f) => engine === "provider" || f.byProvider !== true);
  it.concurrent.each(seen)("is caught by name: $name", async (fault) => {
    expect(await said(fault)).toMatch(fault.caughtBy);
  });
});
