import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultsOf, plan } from "./plans.ts";
import { isPlanners } from "./policies/planner.ts";
import { hasTerraform, Infra, type Planned } from "./terraform.ts";

/** Mistakes about who plans pull requests, made in the plan itself. */
describe.skipIf(!hasTerraform)("who plans pull requests", () => {
  let infra: Infra;
  let planned: Planned[] = [];
  beforeAll(async () => {
    infra = await Infra.copy();
    planned = (await plan(infra, "bootstrap", ["bootstrap"])).get("bootstrap") ?? [];
  });
  afterAll(() => infra.close());

  const said = (change: (text: string, address: string) => string) =>
    faultsOf(
      infra,
      "bootstrap",
      "bootstrap",
      planned.map((r) =>
        isPlanners(r)
          ? { ...r, values: JSON.parse(change(JSON.stringify(r.values), r.address)) as Planned["values"] }
          : r,
      ),
    );

  it("is planned, and breaks no rule as it is", () => {
    expect(planned.filter(isPlanners).length).toBeGreaterThan(15);
    expect(said((text) => text)).toEqual([]);
  });

  it.each<[string, string, string, string, RegExp]>([
    ["any event", "pull_requests", " && assertion.event_name == 'pull_request'", "", /^who may plan: others/],
    [
      "an environment that a pull request names",
      "pull_requests",
      "attribute.planner",
      "attribute.environment",
      /^who may plan: a token proves/,
    ],
    ["any repository", "iam_member.planner", "proveniq/cells", "other/cells", /^who may plan: .* has roles/],
    [
      "a role that changes something",
      "iam_member.planner[",
      "/roles/planner",
      "/roles/cellDeployer",
      /^a planner only looks: .*planner@.* has .*cellDeployer/,
    ],
    [
      "a right that changes something",
      "custom_role.planner",
      "run.services.get",
      "run.services.update",
      /^a planner only looks: .* has run\.services\.update/,
    ],
    [
      "documents",
      "custom_role.planner",
      "datastore.databases.getMetadata",
      "datastore.entities.get",
      /^a planner only looks: .* has datastore\.entities\.get/,
    ],
    [
      "secrets",
      "custom_role.planner",
      "secretmanager.secrets.get",
      "secretmanager.versions.get",
      /^a planner only looks: .* has secretmanager\.versions/,
    ],
    [
      "an environment that deploys",
      "iam_member.nightly",
      "proveniq/cells:planner",
      "proveniq/cells:eu",
      /^who may plan: .* has roles/,
    ],
    [
      "artefacts",
      "bucket_iam_member.planner",
      "proveniq-central-tfstate",
      "proveniq-central-artefacts",
      /^a planner only looks: .* on .*-artefacts/,
    ],
    [
      "a state that it may write",
      "bucket_iam_member.planner",
      "objectViewer",
      "objectUser",
      /^a planner only looks: .*objectUser/,
    ],
    [
      "every secret for a deployer",
      "canary_key",
      "canary-key-eu",
      "",
      /^a canary's key is its deployer's: .*deploy-eu@/,
    ],
  ])("is refused with %s", (_, where, from, to, caughtBy) => {
    let changed = 0;
    const faults = said((text, address) => {
      if (!address.includes(where) || !text.includes(from)) return text;
      changed += 1;
      return text.replace(from, to);
    });
    expect(changed).toBeGreaterThan(0);
    expect(faults.join("\n")).toMatch(new RegExp(caughtBy.source, "m"));
  });
});
