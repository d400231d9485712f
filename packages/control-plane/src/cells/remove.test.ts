import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { config, manifest, manifests } from "../testing.ts";
import { addCell } from "./add.ts";
import { type CellTenants, refusalsToRemove, removeCell } from "./remove.ts";
import { ownIssuer, scratchRepository } from "./testing/scratch.ts";

const nobody: CellTenants = { placed: [], claimed: [] };
/** No cell is called that, and none should be. */
const fresh = { id: "zz-new", region: "europe-north1", residency: "eu", issuer: ownIssuer };
let root: string;

beforeEach(async () => {
  root = await scratchRepository();
});
afterEach(async () => rm(root, { recursive: true, force: true }));

/** Every file of the scratch repository that a cell's coming or going may touch. */
async function contents(): Promise<Record<string, string>> {
  const cells = await readdir(join(root, "infra", "cells"), { recursive: true });
  const files = [
    "package-lock.json",
    "docs/fleet.md",
    ...cells.filter((f) => f.endsWith(".json")).map((f) => `infra/cells/${f}`),
  ];
  const texts = await Promise.all(files.map((f) => readFile(join(root, f), "utf8")));
  return Object.fromEntries(files.map((file, n) => [file, texts[n] ?? ""]));
}

describe("removing a cell", () => {
  it("takes back exactly what adding it wrote", async () => {
    const before = await contents();
    await addCell(root, fresh);
    const added = await contents();
    expect(added).not.toEqual(before);
    const planned = await removeCell(root, "zz-new", nobody, { dryRun: true });
    expect(await contents()).toEqual(added);
    expect(await removeCell(root, "zz-new", nobody)).toEqual(planned);
    expect(await contents()).toEqual(before);
    expect(await readdir(join(root, "infra"))).toEqual(["cells", "fleet.json"]);
    expect(planned.files).toEqual(["infra/cells/zz-new/", "docs/fleet.md", "package-lock.json"]);
  });

  it("says what remains, in the order in which it can be done", async () => {
    await addCell(root, fresh);
    const { steps } = await removeCell(root, "zz-new", nobody, { dryRun: true });
    const order = [
      "reconcile",
      "directory publish",
      "roots/edge for eu",
      "terraform destroy",
      "roots/central",
    ];
    expect(order.map((text) => steps.findIndex((step) => step.includes(text)))).toEqual([0, 1, 2, 3, 4]);
    expect(steps[3]).toContain("zz-new-main, market in proveniq-prod-zz-new");
    expect(steps[5]).toContain("No other cell is in proveniq-prod-zz-new");
  });

  it("leaves all of it when a part cannot be written", async () => {
    await addCell(root, fresh);
    const before = await contents();
    await mkdir(join(root, "package-lock.json.new"));
    await expect(removeCell(root, "zz-new", nobody)).rejects.toThrow("EISDIR");
    expect(await contents()).toEqual(before);
    await writeFile(join(root, "package-lock.json"), '{"lockfileVersion": 1}');
    await expect(removeCell(root, "zz-new", nobody)).rejects.toThrow("lockfileVersion 3");
    expect(await readdir(join(root, "infra", "cells"))).toContain("zz-new");
  });

  it("is done by doing it again after it was interrupted", async () => {
    const before = await contents();
    await addCell(root, fresh);
    await writeFile(join(root, "package-lock.json"), before["package-lock.json"] ?? "");
    await removeCell(root, "zz-new", nobody);
    expect(await contents()).toEqual(before);
  });

  it("is refused with every reason at once, and changes nothing", async () => {
    const before = await contents();
    const refused = removeCell(root, "eu", {
      placed: ["atelier-nord", "nordic-mutual"],
      claimed: [{ tenantId: "carrier-a", state: "fenced" }],
    });
    await expect(refused).rejects.toThrow(
      /^Cell eu cannot be removed:\n {2}it is the default of residency "eu"/,
    );
    await expect(refused).rejects.toThrow("atelier-nord, nordic-mutual are placed in it");
    await expect(refused).rejects.toThrow("carrier-a (fenced) is in an open move");
    await expect(removeCell(root, "mars", nobody)).rejects.toThrow(
      'There is no cell "mars". There are consumer,',
    );
    expect(await contents()).toEqual(before);
  });
});

describe("what forbids to remove a cell", () => {
  const fleet = { config, manifests: { ...manifests, ap: manifest("ap") } };

  it.each<[string, string, CellTenants, string[]]>([
    ["nothing, when it is empty", "ap", nobody, []],
    ["that it is Cell 0", "consumer", nobody, ["Cell 0 cannot be removed"]],
    ["that it is a default", "eu", nobody, ['default of residency "eu"']],
    ["a tenant", "ap", { placed: ["carrier-b"], claimed: [] }, ["carrier-b is placed in it"]],
    [
      "a tenant, told once though its claim is there too",
      "ap",
      { placed: ["carrier-b"], claimed: [{ tenantId: "carrier-b", state: "active" }] },
      ["carrier-b is placed in it"],
    ],
    [
      "a tenant that is on its way in",
      "ap",
      { placed: [], claimed: [{ tenantId: "carrier-b", state: "moving" }] },
      ["carrier-b (moving) is in an open move"],
    ],
    [
      "a claim that the registry knows nothing of",
      "ap",
      { placed: [], claimed: [{ tenantId: "carrier-b", state: "suspended" }] },
      ["carrier-b (suspended) is claimed in its databases"],
    ],
    [
      "many tenants, of whom some are named",
      "ap",
      { placed: ["t-1", "t-2", "t-3", "t-4", "t-5", "t-6", "t-7"], claimed: [] },
      ["t-1, t-2, t-3, t-4, t-5 and 2 more are placed in it"],
    ],
  ])("%s", (_, id, tenants, reasons) => {
    const found = refusalsToRemove(id, fleet, tenants);
    expect(found).toHaveLength(reasons.length);
    for (const [n, reason] of reasons.entries()) expect(found[n]).toContain(reason);
  });

  it("a tenant that is pinned to it", () => {
    const pinned = { ...config, pinnedTenants: { "carrier-b": { cell: "ap", hosts: [] } } };
    expect(refusalsToRemove("ap", { ...fleet, config: pinned }, nobody)).toEqual([
      expect.stringContaining("carrier-b is pinned to it"),
    ]);
  });
});
