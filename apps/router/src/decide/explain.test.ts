import { SnapshotDirectory } from "@proveniq/tenant-context/directory";
import { describe, expect, it } from "vitest";
import { caseDirectory, routeCases } from "./cases.ts";
import { decide } from "./decide.ts";
import { explain } from "./explain.ts";

const directory = new SnapshotDirectory(() => undefined);
directory.offerDocument(caseDirectory, "cases");
const ask = (host: string, path: string, tenantHeader?: string, authorization?: string) => ({
  host,
  path,
  tenantHeader,
  authorization,
});

describe("explain", () => {
  it("tells each step of a route", async () => {
    const request = ask("EU.proveniq.io:443", "/t/atelier-nord/v1/imports", "atelier-nord");
    expect(await explain(request, directory)).toMatchObject({
      rule: "placement",
      directoryVersion: 7,
      steps: [
        { step: "target", finding: "plain, for the bulk service" },
        { step: "hint", finding: "atelier-nord, by its path and its header" },
        { step: "directory", finding: "version 7" },
        {
          step: "host",
          finding: "eu.proveniq.io admits the residency eu; without a tenant consumers-eu in eu",
        },
        { step: "placement", finding: "atelier-nord: in eu (residency eu) since epoch 1" },
        {
          step: "decision",
          finding: "to eu at https://eu-bulk.cells.proveniq.io as atelier-nord, because of placement",
        },
      ],
    });
  });

  it.each([
    [ask("api.proveniq.io", "/a/../b"), "target", "can be read in two ways"],
    [ask("api.proveniq.io", "/t/carrier-a/v1", "small-shop"), "hint", "tenant-conflict: "],
    [ask("evil.example", "/v1"), "host", "evil.example is no host of the fleet"],
    [ask("api.proveniq.io", "/v1", "nobody-here"), "placement", "nobody-here: has no placement"],
  ])("ends with the step that decided: %j", async (request, step, finding) => {
    const { steps, decision } = await explain(request, directory);
    expect(decision.kind).toBe("reject");
    expect(steps.at(-2)).toMatchObject({ step, finding: expect.stringContaining(finding) });
    expect(steps.at(-1)?.step).toBe("decision");
  });

  it("says so when there is no directory", async () => {
    const empty = new SnapshotDirectory(() => undefined);
    const { directoryVersion, steps } = await explain(ask("api.proveniq.io", "/v1"), empty);
    expect([directoryVersion, steps.at(-2)?.finding]).toEqual([0, "none has been read yet"]);
  });

  it.each(routeCases.map((c) => [c.name, c] as const))("decides as the router does: %s", async (_, c) => {
    const request = {
      host: c.host,
      path: c.path ?? "/v1",
      tenantHeader: c.tenantHeader,
      authorization: c.authorization,
    };
    expect((await explain(request, directory)).decision).toEqual(await decide(request, directory));
  });
});
