import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fleetOf } from "../fleet.ts";
import { hasTerraform, Infra } from "../terraform.ts";
import { type BuiltUp, buildUp, linesOf, onlyCellZero, strangers, wellOf } from "./build-up.ts";
import { Organisation } from "./organisation.ts";
import { controlPlane, hasGo, providerFolder } from "./tools.ts";

const canApply = hasTerraform && hasGo && providerFolder !== undefined && controlPlane !== undefined;

describe.skipIf(!canApply)("from an empty organisation to one cell and its front door", () => {
  let organisation: Organisation;
  let built: BuiltUp[] = [];

  beforeAll(async () => {
    const infra = await Infra.copy();
    try {
      onlyCellZero(infra);
      organisation = await Organisation.found({
        provider: providerFolder ?? "",
        controlPlane: controlPlane ?? "",
        repository: infra.repository,
        fleet: fleetOf(infra),
      });
    } finally {
      infra.close();
    }
    built = await buildUp(organisation);
  }, 400_000);
  afterAll(() => organisation.close());

  it("is a state after the other applied by who does so in reality, with nothing left to do", () => {
    expect(linesOf(built)).toEqual(wellOf(organisation));
  });

  it("asks nothing that Google's APIs do not know, and nothing outside", () => {
    const log = organisation.judge.log();
    expect(log.length).toBeGreaterThan(500);
    expect(log.filter((e) => e.kind === "unrouted" || e.kind === "unhandled")).toEqual([]);
    expect(strangers(log, organisation.fleet)).toEqual([]);
  });
});
