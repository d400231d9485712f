import { readFileSync, writeFileSync } from "node:fs";
import { addCell } from "@proveniq/control-plane";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fleetOf, ownIssuer } from "../fleet.ts";
import { hasTerraform, Infra } from "../terraform.ts";
import { buildUp, faultIn, linesOf, strangers, wellOf } from "./build-up.ts";
import { uploadArtefact } from "./by-hand.ts";
import { differences, usedIn } from "./grants.ts";
import type { Seed } from "./judge.ts";
import { nameOf, Organisation, type State } from "./organisation.ts";
import { reaches } from "./states.ts";
import { controlPlane, hasGo, providerFolder } from "./tools.ts";

const canApply = hasTerraform && hasGo && providerFolder !== undefined && controlPlane !== undefined;
const tools = { provider: providerFolder ?? "", controlPlane: controlPlane ?? "" };

async function foundOf(
  change: (infra: Infra) => Promise<void> | void,
  seeded?: (seed: Seed) => void,
): Promise<Organisation> {
  const infra = await Infra.copy();
  try {
    await change(infra);
    const where = { ...tools, repository: infra.repository, fleet: fleetOf(infra) };
    return await Organisation.found(seeded === undefined ? where : { ...where, change: seeded });
  } finally {
    infra.close();
  }
}

/** What plans of states would change, as somebody; nothing when they are empty. */
async function changes(
  organisation: Organisation,
  states: readonly State[],
  caller?: string,
): Promise<string[]> {
  const found: string[] = [];
  for (const state of states) {
    const { code, text } = await organisation.plan(state, {}, caller);
    if (code !== 0) found.push(`${nameOf(state)}: ${faultIn(text)}`);
  }
  return found;
}

describe.skipIf(!canApply)("the whole fleet, from an empty organisation", () => {
  let organisation: Organisation;
  let all: State[];
  beforeAll(async () => {
    organisation = await foundOf(() => undefined);
    all = organisation.states();
  });
  afterAll(() => organisation.close());

  it("is applied state by state, with nothing left to do", async () => {
    expect(linesOf(await buildUp(organisation))).toEqual(wellOf(organisation));
    expect(strangers(organisation.judge.log(), organisation.fleet)).toEqual([]);
  });

  it("is seen by the planner, whole and without a change", async () => {
    // The stand-in spells the permissions of identity pools in a way of its own, and refuses everybody but persons.
    const seen = all.filter(([root]) => root !== "bootstrap");
    expect(await changes(organisation, seen, organisation.planner)).toEqual([]);
    expect(await changes(organisation, [["bootstrap", "bootstrap"]])).toEqual([]);
  });

  it("takes the permissions that its roles name, and no other", () => {
    expect(differences(usedIn(organisation.judge.log(), tools.controlPlane))).toEqual([]);
  });

  it("keeps states that their deployers reach, and others do not", async () => {
    expect(await reaches(organisation)).toEqual([]);
  });

  it("takes another artefact in one cell, and the one before again, and no other state moves", async () => {
    const others = all.filter((s) => nameOf(s) !== "cell/eu");
    const object = `cells/${"e".repeat(64)}.zip`;
    const next = { artefact_digest: "d".repeat(64), artefact_object: object, git_commit: "decade" };
    await uploadArtefact(organisation.judge, organisation.fleet, object);
    for (const variables of [next, {}]) {
      const { code, text } = await organisation.apply(["cell", "eu"], variables);
      expect([code, code === 0 ? "" : faultIn(text)]).toEqual([0, ""]);
      expect(text).toMatch(/Resources: 0 added, \d+ changed, 0 destroyed/);
    }
    expect(await changes(organisation, others)).toEqual([]);
  });

  it("takes a restored database in the place of another, which stays", async () => {
    const file = `${organisation.infra}/cells/eu/cell.json`;
    const before = readFileSync(file, "utf8");
    const path = "projects/proveniq-prod-eu/databases/eu-partners";
    const { resources } = (await organisation.judge.ask("dump")) as { resources: Record<string, object> };
    const old = resources[`firestore.googleapis.com|${path}`] ?? {};
    const name = `${path}-2`;
    await organisation.judge.put("firestore.googleapis.com", name, { ...old, name });
    writeFileSync(file, before.replace('"id": "eu-partners"', '"id": "eu-partners-2"'));
    const { code, text } = await organisation.apply(["cell", "eu"], { adopted: ["eu-partners-2"] });
    expect([code, code === 0 ? "" : faultIn(text)]).toEqual([0, ""]);
    const after = (await organisation.judge.ask("dump")) as { resources: Record<string, object> };
    expect(after.resources[`firestore.googleapis.com|${path}`]).toBeDefined();
    expect(await changes(organisation, [["cell", "eu"]])).toEqual([]);
  });
});

describe.skipIf(!canApply)("a fleet with two more cells, by other names", () => {
  let organisation: Organisation;
  beforeAll(async () => {
    const rename = (text: string) =>
      text.replaceAll("proveniq.io", "items.example").replaceAll("proveniq-", "acme-");
    organisation = await foundOf(
      async (infra) => {
        await addCell(infra.repository, {
          id: "eu-two",
          region: "europe-west1",
          residency: "eu",
          issuer: ownIssuer,
        });
        const project = "proveniq-prod-enterprise-a";
        await addCell(infra.repository, {
          id: "carrier-b",
          region: "us-central1",
          residency: "global",
          location: "nam5",
          project,
        });
        for (const file of ["fleet.json", ...infra.cells().map((id) => `cells/${id}/cell.json`)])
          infra.write(file, rename(infra.read(file)));
        // What Cell 0's project had before is there by the other name, too.
      },
      (seed) => Object.assign(seed, JSON.parse(rename(JSON.stringify(seed)))),
    );
  });
  afterAll(() => organisation.close());

  it("is applied state by state, with nothing left to do", async () => {
    expect(organisation.fleet.config.central.project).toBe("acme-central");
    expect(organisation.states()).toHaveLength(15);
    expect(linesOf(await buildUp(organisation))).toEqual(wellOf(organisation));
  });
});
