import { addCell } from "@proveniq/control-plane";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onlyCases, ownIssuer } from "./fleet.ts";
import { faultsOf, plan } from "./plans.ts";
import { hasTerraform, Infra } from "./terraform.ts";

/** What is said of the EU's load balancers in a copy. */
async function said(infra: Infra): Promise<string> {
  try {
    const planned = (await plan(infra, "edge", ["eu"])).get("eu") ?? [];
    return faultsOf(infra, "edge", "eu", planned).join("\n");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe.skipIf(!hasTerraform)("a pinned tenant whose cell is in a second region of its residency", () => {
  let infra: Infra;
  beforeAll(async () => {
    infra = await Infra.copy();
    onlyCases(infra);
    await addCell(infra.repository, {
      id: "eu-north",
      region: "europe-north1",
      residency: "eu",
      issuer: ownIssuer,
    });
    const own = '"hosts": ["nordic-mutual.proveniq.io"]';
    infra.edit("fleet.json", '"nordic-mutual.proveniq.io": "eu"', "");
    infra.edit(
      "fleet.json",
      '"pinnedTenants": {',
      `"pinnedTenants": { "nordic-mutual": { "cell": "eu-north", ${own} },`,
    );
    await infra.init("edge");
  });
  afterAll(() => infra.close());

  it("is reached there by its own host, and by shared hosts through the router", async () => {
    expect(await said(infra)).toBe("");
  });

  it.concurrent.each([
    [
      "without its own host there",
      "} if length(p.hosts) > 0",
      "} if length(p.hosts) > 0 && var.is_primary",
      /^pinned tenants: nordic-mutual at nordic-mutual\.proveniq\.io\/v1\/items goes to nowhere/m,
    ],
    [
      "by shared hosts that send it to a cell of their own region",
      "rules   = local.only == null ? local.pin_rules : ",
      'rules   = local.only == null ? [{ service = local.service["eu-api"], matches = [{ prefix = "/t/" }] }] : ',
      /^pinned tenants: nordic-mutual at eu\.proveniq\.io\/t\/nordic-mutual\/v1\/items goes to eu-api/m,
    ],
  ])("%s is a mistake that is caught", async (_, from, to, caughtBy) => {
    const copy = await Infra.copy(infra.repository);
    try {
      copy.edit("terraform/modules/edge/routes.tf", from, to);
      expect(await said(copy)).toMatch(caughtBy);
    } finally {
      copy.close();
    }
  });
});
