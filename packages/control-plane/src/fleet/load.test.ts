import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { config, manifest, manifests } from "../testing.ts";
import { checkFleet } from "./check.ts";
import { loadFleet, loadManifests } from "./load.ts";

const made: string[] = [];
afterEach(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true });
});

async function infra(files: Record<string, unknown>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "infra-"));
  made.push(root);
  for (const [file, content] of Object.entries(files)) {
    await mkdir(join(root, file, ".."), { recursive: true });
    await writeFile(join(root, file), typeof content === "string" ? content : JSON.stringify(content));
  }
  return root;
}

describe("loadFleet", () => {
  test("reads the fleet of this repository", async () => {
    const fleet = await loadFleet(fileURLToPath(new URL("../../../../infra", import.meta.url)));
    expect(Object.keys(fleet.manifests)).toEqual(expect.arrayContaining(["consumer", "enterprise-a", "eu"]));
    expect(fleet.config.zone).toBe("proveniq.io");
  });

  test("names every cell by its folder, in order", async () => {
    const root = await infra({
      "fleet.json": config,
      "cells/eu/cell.json": manifests.eu,
      "cells/consumer/cell.json": manifests.consumer,
    });
    expect(await loadFleet(root)).toEqual({ config, manifests });
    expect(Object.keys(await loadManifests(root))).toEqual(["consumer", "eu"]);
  });

  test.each([
    ["no cells", { "fleet.json": config, "cells/readme.md": "x" }, "holds no cell"],
    ["a folder that is no id", { "cells/Cell_1/cell.json": manifests.eu }, "a cell's folder must be"],
    [
      "an unknown field",
      { "cells/eu/cell.json": { ...manifests.eu, colour: "red" } },
      "/colour: is not a known field",
    ],
    ["no JSON", { "cells/eu/cell.json": "{" }, "cells/eu/cell.json is not valid JSON"],
    ["a cell without a manifest", { "cells/eu/package.json": {} }, "cell.json"],
    ["what does not fit", { "cells/consumer/cell.json": manifests.consumer }, "does not fit together"],
  ])("refuses %s, and says where", async (_, files, message) => {
    await expect(loadFleet(await infra({ "fleet.json": config, ...files }))).rejects.toThrow(message);
  });
});

describe("checkFleet", () => {
  test("has nothing to say of a fleet that fits", () => {
    expect(checkFleet(config, manifests)).toEqual([]);
  });

  test("finds defaults without a cell, or in a cell of another residency", () => {
    const { consumer } = manifests;
    expect(checkFleet(config, { consumer })).toEqual([
      'fleet.json: the default for "eu" is eu, and there is no such cell',
    ]);
    const moved = { ...manifests, eu: { ...manifests.eu, residency: "us" as const } };
    expect(checkFleet(config, moved)).toEqual([
      'fleet.json: the default for "eu" is eu, whose residency is "us": name a cell of "eu"',
    ]);
  });

  test("finds an origin that two cells, or clients, use as well", () => {
    const { consumer, eu } = manifests;
    const twin = { ...eu, origins: { ...eu.origins, bulk: consumer.origins.api } };
    expect(checkFleet(config, { consumer, eu: twin })).toEqual([
      "cells/eu/cell.json, origins.bulk: consumer-api.cells.proveniq.io is also in cells/consumer/cell.json, origins.api",
    ]);
    const public_ = { ...eu, origins: { ...eu.origins, api: "https://eu.proveniq.io" } };
    expect(checkFleet(config, { consumer, eu: public_ })).toEqual([
      "cells/eu/cell.json, origins.api: eu.proveniq.io is also in fleet.json, hosts",
    ]);
  });

  test("lets cells share a project, but no database", () => {
    const shared = manifest("other", { project: manifests.consumer.project });
    expect(checkFleet(config, { ...manifests, other: shared })).toEqual([
      "cells/other/cell.json: database proveniq-prod-consumer/(default) also belongs to cell consumer",
      "cells/other/cell.json: database proveniq-prod-consumer/market also belongs to cell consumer",
    ]);
    const central = manifest("central", { project: config.central.project });
    expect(checkFleet(config, { ...manifests, central })).toEqual([
      `cells/central/cell.json: database ${config.central.project}/market also belongs to marketDatabase of fleet.json`,
    ]);
    const apart = {
      ...shared,
      databases: [{ id: "other", location: "nam5" as const }],
      marketDatabase: { id: "other-market", location: "nam5" as const },
    };
    expect(checkFleet(config, { ...manifests, other: apart })).toEqual([]);
  });
});
