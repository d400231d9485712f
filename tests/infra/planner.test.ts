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
    expect(planned.filter(isPlanners).length).toBeGreaterThan(20);
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
      "iam_member.planner",
      "roles/run.viewer",
      "roles/run.admin",
      /^a planner only looks: .*planner@.* has roles\/run\.admin/,
    ],
    [
      "documents",
      "schema_reader",
      "datastore.databases.get",
      "datastore.entities.get",
      /^a planner only looks: .* has datastore\.entities\.get/,
    ],
    [
      "every state",
      "bucket_iam_member.planner",
      "/objects/cells/",
      "/objects/",
      /^a planner only looks: .* on .*-tfstate/,
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
