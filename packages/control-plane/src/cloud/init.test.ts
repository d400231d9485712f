import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { type Fleet, loadFleet } from "../fleet/load.ts";
import { type InitOptions, initialised } from "./init.ts";

const infra = fileURLToPath(new URL("../../../../infra", import.meta.url));
let fleet: Fleet;
let text: string;
beforeAll(async () => {
  fleet = await loadFleet(infra);
  text = await readFile(join(infra, "fleet.json"), "utf8");
});

const good: InitOptions = {
  name: "staging",
  organisation: "123456789012",
  billingAccount: "01AB23-CD45EF-678901",
  repository: "proveniq/cells",
  domain: "proveniq-staging.io",
  residencies: ["global", "eu"],
};

describe("a cloud's entry in fleet.json", () => {
  it("changes its environment and nothing else, and is the same when it is written again", () => {
    const next = initialised(text, fleet, { ...good, suffix: "-stg" });
    const { environments: before, ...rest } = JSON.parse(text) as Record<string, object>;
    const { environments, ...kept } = JSON.parse(next) as Record<string, object>;
    expect(kept).toEqual(rest);
    expect(environments).toEqual({
      ...before,
      staging: {
        projectSuffix: "-stg",
        zone: "proveniq-staging.io",
        cloud: {
          organisation: "123456789012",
          billingAccount: "01AB23-CD45EF-678901",
          repository: "proveniq/cells",
        },
      },
    });
    expect(initialised(next, fleet, { ...good, suffix: "-stg" })).toBe(next);
    expect(next.split("\n").slice(-12)).toEqual(text.split("\n").slice(-12));
  });

  it.each<[string, Partial<InitOptions>, string]>([
    ["a name for an organisation", { organisation: "acme" }, "organisation must be the number"],
    ["rubbish for a billing account", { billingAccount: "1-2" }, "billingAccount must be a billing account"],
    ["a repository without an owner", { repository: "cells" }, "repository must be owner/name"],
    ["no domain", { domain: "not a domain" }, "is no domain"],
    ["production's own domain", { domain: "stg.proveniq.io" }, "overlap"],
    ["a suffix that makes names too long", { suffix: "-staging1" }, "is no project id"],
    ["a suffix that is none", { suffix: "x" }, "must be a hyphen"],
    ["a residency without a cell", { residencies: ["global", "eu", "us"] }, "npx fleet cells add"],
    ["fewer residencies than there are", { residencies: ["global"] }, "--residencies eu,global"],
    ["another domain of production", { name: "production" }, "Production is in proveniq.io"],
    [
      "a suffix of production",
      { name: "production", domain: "proveniq.io", suffix: "-x" },
      "--suffix is staging's",
    ],
  ])("is refused with %s", (_, change, words) => {
    expect(() => initialised(text, fleet, { ...good, ...change })).toThrow(words);
  });
});
