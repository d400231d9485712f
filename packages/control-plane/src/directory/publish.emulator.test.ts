import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DirectorySnapshot, directorySnapshot, type Placement } from "@proveniq/contracts";
import { Registry } from "@proveniq/db/control";
import { DatabasePool } from "@proveniq/db/pool";
import { afterAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { RefusedError } from "../refused.ts";
import { config, manifests, place } from "../testing.ts";
import type { WhoIs } from "./ask-cells.ts";
import { originsOf } from "./build.ts";
import { directoryHistory } from "./history.ts";
import { diffDirectory, type Publication, publishDirectory, rollbackDirectory } from "./publish.ts";
import { makeRoom } from "./room.ts";
import { fileTarget, openTarget } from "./target.ts";

const emulatorHost = inject("firestoreHost");
const root = await mkdtemp(join(tmpdir(), "directory-"));
const pools: DatabasePool[] = [];
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  await rm(root, { recursive: true });
});

/** Cells that are where their manifests say, and one that has been moved. */
const honest = async (at: string): ReturnType<WhoIs> => {
  const [id, cell] =
    Object.entries(manifests).find(([, { origins }]) => Object.values(origins).includes(at)) ?? [];
  if (id === undefined || cell === undefined) return { id: "eu", residency: "eu" };
  return { id, residency: cell.residency };
};
const at = "2026-12-01T00:00:00.000Z";
const origin = { who: "ann@proveniq.io", from: "ann-laptop" };
let made = 0;
let folder: string;
let file: string;
let control: Registry;
let publication: Publication;

beforeEach(() => {
  const pool = new DatabasePool({ projectId: `publish-${++made}`, allow: ["control"], emulatorHost });
  pools.push(pool);
  folder = join(root, String(made));
  file = join(folder, "directory.json");
  control = new Registry(pool, "control");
  const target = fileTarget(file);
  publication = {
    target,
    control,
    config,
    manifests,
    origins: () => originsOf(manifests),
    origin,
    whoIs: honest,
  };
});

const add = (id: string, hosts: string[] = []) => control.add(place(id, { hosts }), origin);
const read = async () => directorySnapshot.parse(JSON.parse(await readFile(file, "utf8")));
const put = (snapshot: DirectorySnapshot) => writeFile(file, JSON.stringify(snapshot));
const audited = async () =>
  (await control.audit()).filter((r) => r.action.startsWith("directory.")).map((r) => [r.action, r.detail]);

const elsewhere = {
  ...originsOf(manifests),
  eu: { api: "https://wrong.proveniq.io", bulk: "https://wrong.proveniq.io" },
};

describe("publishDirectory", () => {
  test("drafts again when cells moved after their places were asked for", async () => {
    let places = originsOf(manifests);
    const asked = vi.fn(async () => {
      const seen = places;
      if (places !== elsewhere) {
        places = elsewhere;
        await publishDirectory({ ...publication, origins: () => elsewhere });
      }
      return seen;
    });
    await publishDirectory({ ...publication, origins: asked });
    expect(asked).toHaveBeenCalledTimes(2);
    expect((await read()).topology.cells["eu"]?.api).toBe("https://wrong.proveniq.io");
  });

  test("writes what the registry says under a greater version, leaves no drafts, and is recorded", async () => {
    const first = await publishDirectory(publication);
    await add("nordic", ["nordic.proveniq.io"]);
    const { snapshot } = await publishDirectory(publication);
    expect(snapshot.version).toBeGreaterThan(first.snapshot.version);
    expect(snapshot.tenants).toEqual({ nordic: ["eu", 1] });
    expect(snapshot.tenantHosts).toEqual({ "nordic.proveniq.io": "nordic" });
    expect(await read()).toEqual(snapshot);
    expect(await readdir(folder)).toEqual(["directory.json"]);
    expect(await control.publishedVersions()).toEqual([first.snapshot.version, snapshot.version]);
    expect(await audited()).toEqual([
      ["directory.publish", { version: first.snapshot.version, at: file, changes: 6 }],
      ["directory.publish", { version: snapshot.version, at: file, changes: 2 }],
    ]);
  });

  test("does nothing when the target holds it already", async () => {
    const { snapshot } = await publishDirectory(publication);
    expect(await publishDirectory(publication)).toEqual({
      snapshot,
      published: false,
      changes: [],
      warnings: [],
    });
    expect(await audited()).toHaveLength(1);
  });

  test("by many at once, while tenants are added, ends with the newest", async () => {
    const ids = ["aaa", "bbb", "ccc"];
    await Promise.all(
      ids.map(async (id) => {
        await add(id);
        await publishDirectory(publication);
      }),
    );
    const last = await read();
    expect(Object.keys(last.tenants)).toEqual(ids);
    expect(last.version).toBe((await control.snapshot()).version);
  });

  test("goes on from a target that is further than the registry", async () => {
    const { snapshot } = await publishDirectory(publication);
    await put({ ...snapshot, version: 500 });
    await add("nordic");
    expect((await publishDirectory(publication)).snapshot.version).toBe(501);
    expect((await control.snapshot()).version).toBe(501);
  });

  test.each([2_000_000, 1_000_000_000, Number.MAX_SAFE_INTEGER, 1e300])(
    "replaces a version that no publication can have reached: %d",
    async (version) => {
      const { snapshot } = await publishDirectory(publication);
      await writeFile(file, JSON.stringify({ ...snapshot, version }));
      await add("nordic");
      const next = (await publishDirectory(publication)).snapshot;
      expect(next.version).toBeLessThan(10);
      expect(await read()).toEqual(next);
    },
  );

  test("asks every origin who it is, and refuses one where another cell answers", async () => {
    const asked: string[] = [];
    const whoIs: WhoIs = async (at) => {
      asked.push(at);
      return at.includes("eu-bulk") ? { id: "consumer", residency: "global" } : honest(at);
    };
    await expect(publishDirectory({ ...publication, whoIs })).rejects.toThrow(
      "cell eu, bulk: https://eu-bulk.cells.proveniq.io answers as cell consumer (global), not eu (eu): see origins in infra/cells/eu/cell.json",
    );
    const all = Object.values(originsOf(manifests)).flatMap(({ api, bulk }) => [api, bulk]);
    expect(asked).toHaveLength(all.length);
    expect(new Set(asked)).toEqual(new Set(all));
    await expect(read()).rejects.toThrow("ENOENT");
    const inAnother = publishDirectory({
      ...publication,
      whoIs: async (at) => ({ ...(await honest(at)), residency: "us" }),
    });
    await expect(inAnother).rejects.toThrow("answers as cell eu (us), not eu (eu)");
  });

  test("refuses a silent origin that is new, and warns of one that routers use already", async () => {
    const whoIs: WhoIs = async (at) => {
      if (at.includes("eu-api")) throw new Error("does not answer (refused)");
      return honest(at);
    };
    await expect(publishDirectory({ ...publication, whoIs })).rejects.toThrow(
      "cell eu, api: https://eu-api.cells.proveniq.io does not answer (refused), and no router uses it yet: deploy the cell",
    );
    await publishDirectory(publication);
    await add("nordic");
    const { published, warnings } = await publishDirectory({ ...publication, whoIs });
    expect([published, warnings]).toEqual([
      true,
      ["cell eu, api: https://eu-api.cells.proveniq.io does not answer (refused); routers use it already"],
    ]);
    // A registry that begins anew is published before any cell runs.
    const silent: WhoIs = () => Promise.reject(new Error("does not answer"));
    await expect(publishDirectory({ ...publication, whoIs: silent, begin: true })).resolves.toMatchObject({
      published: true,
    });
  });

  test.each([
    ["https://eu.evil.example", "is not in the zone proveniq.io"],
    ["http://eu-api.cells.proveniq.io", "must be https"],
    ["http://127.0.0.1:9001", "is this machine itself"],
    ["https://consumer-api.cells.proveniq.io", "is the origin of cell consumer too"],
  ])("refuses the origin %s unasked", async (api, fault) => {
    const asked: string[] = [];
    const whoIs: WhoIs = (at) => {
      asked.push(at);
      return honest(at);
    };
    const { eu, ...rest } = originsOf(manifests);
    const origins = () => ({ ...rest, eu: { api, bulk: eu?.bulk ?? "" } });
    await expect(publishDirectory({ ...publication, origins, whoIs })).rejects.toThrow(fault);
    expect(asked).toEqual([]);
  });

  test.each<[string, Placement[], string]>([
    ["drops a tenant", [], "tenant nordic (cell eu, epoch 3) would be dropped"],
    [
      "moves a tenant by the same epoch",
      [place("nordic", { cellId: "consumer", residency: "global", epoch: 3 })],
      "tenant nordic would go from eu to consumer",
    ],
    ["lowers an epoch", [place("nordic", { epoch: 2 })], "the epoch of tenant nordic would fall from 3 to 2"],
  ])("refuses what %s against what was published, and changes nothing", async (_, placements, message) => {
    await control.add(place("nordic", { epoch: 3 }), origin);
    const { snapshot } = await publishDirectory(publication);
    const before = await readFile(file, "utf8");
    const restored = { ...publication, control: forgetful(control, placements) };
    const publishing = publishDirectory(restored);
    await expect(publishing).rejects.toThrow(message);
    await expect(publishing).rejects.toBeInstanceOf(RefusedError);
    expect(await readFile(file, "utf8")).toBe(before);
    expect(await control.publishedVersions()).toEqual([snapshot.version]);
    expect((await diffDirectory(restored)).refusals).toEqual([expect.stringContaining(message)]);
  });

  test.each<[string, (good: DirectorySnapshot) => DirectorySnapshot]>([
    ["a tenant that nobody placed", (d) => ({ ...d, tenants: { ...d.tenants, lost: ["eu", 2] } })],
    ["a wrong cell", (d) => ({ ...d, tenants: { nordic: ["consumer", 1] } })],
    ["an epoch that nobody gave", (d) => ({ ...d, tenants: { nordic: ["eu", 7] } })],
    ["a wrong host", (d) => ({ ...d, tenantHosts: { "other.proveniq.io": "nordic" } })],
  ])("replaces %s at the target, whatever its version says", async (_, change) => {
    await add("nordic");
    for (const ahead of [0, 1, 40]) {
      const { snapshot } = await publishDirectory(publication);
      await put({ ...change(snapshot), version: snapshot.version + ahead });
      const next = await publishDirectory(publication);
      expect(next.published).toBe(true);
      expect(next.snapshot.version).toBeGreaterThan(snapshot.version + ahead);
      expect(next.snapshot.tenants).toEqual({ nordic: ["eu", 1] });
      expect(await read()).toEqual(next.snapshot);
    }
  });

  test("names the tenants about which the target said what was never published", async () => {
    await add("nordic");
    const { snapshot } = await publishDirectory(publication);
    await put({ ...snapshot, tenants: { nordic: ["consumer", 1] } });
    expect((await publishDirectory(publication)).warnings).toEqual([
      "the target said cell consumer, epoch 1 of tenant nordic, which was never published so",
    ]);
  });

  test.each([
    ["a newer version", 4, null],
    ["another text of this version", 0, "b".repeat(64)],
  ])("publishes anew what routers do not use, because they believe %s", async (_, ahead, digest) => {
    const { snapshot } = await publishDirectory(publication);
    const used = async () => ({ version: snapshot.version + ahead, digest });
    const next = await publishDirectory({ ...publication, used });
    expect(next).toMatchObject({ published: true, changes: [] });
    expect(next.snapshot.version).toBe(snapshot.version + ahead + 1);
    // Routers that have not read it yet, or cannot be asked, are nothing to be done about.
    const older = async () => ({ version: snapshot.version, digest: null });
    expect((await publishDirectory({ ...publication, used: older })).published).toBe(false);
    const dead = () => Promise.reject(new Error("no answer"));
    expect((await publishDirectory({ ...publication, used: dead })).published).toBe(false);
  });

  test("lets a removed tenant go, and takes it back under a greater epoch", async () => {
    await add("nordic", ["nordic.proveniq.io"]);
    await publishDirectory(publication);
    expect(await control.remove(place("nordic", { hosts: ["nordic.proveniq.io"] }), origin, at)).toBe(true);
    const { snapshot } = await publishDirectory(publication);
    expect([snapshot.tenants, snapshot.tenantHosts]).toEqual([{}, {}]);
    expect(await control.removedEpoch("nordic")).toBe(1);
    await control.add(place("nordic", { epoch: 2, hosts: ["nordic.proveniq.io"] }), origin);
    expect((await publishDirectory(publication)).snapshot.tenants).toEqual({ nordic: ["eu", 2] });
    const history = await directoryHistory(control, 10);
    expect(
      history.map(({ version, who, target, changes }) => [
        version,
        who,
        target,
        changes?.map((c) => `${c.kind} ${c.name}`),
      ]),
    ).toEqual(
      [
        [5, origin.who, file, ["added nordic.proveniq.io", "added nordic"]],
        [3, origin.who, file, ["removed nordic.proveniq.io", "removed nordic"]],
        [1, origin.who, file, expect.arrayContaining(["added nordic"])],
      ].map((row, n) => [history[n]?.version, ...row.slice(1)]),
    );
  });

  test("remembers what was published when the target has lost it", async () => {
    await add("nordic");
    await publishDirectory(publication);
    await rm(file);
    const emptied = { ...publication, control: forgetful(control) };
    await expect(publishDirectory(emptied)).rejects.toThrow("tenant nordic (cell eu, epoch 1) would be drop");
  });

  test("refuses hosts that collide, and a cell that is gone", async () => {
    await add("nordic", ["eu.proveniq.io"]);
    await expect(publishDirectory(publication)).rejects.toThrow("is a host of the fleet");
    const { consumer } = manifests;
    const without = { ...publication, manifests: { consumer } };
    await expect(publishDirectory(without)).rejects.toThrow("nothing was published");
    expect(await audited()).toEqual([]);
  });

  test("refuses what the plan does not hold", async () => {
    const small = {
      ...publication,
      target: { ...publication.target, capped: true },
      config: { ...config, directory: { maxBytes: 8_192 as const } },
    };
    await publishDirectory(small);
    for (let n = 0; n < 10; n += 1) {
      const hosts = Array.from(
        { length: 20 },
        (_, m) => `host-${m}.${"x".repeat(40)}.tenant-${n}.example.com`,
      );
      await add(`tenant-${n}`, hosts);
    }
    await expect(publishDirectory(small)).rejects.toThrow("directory.maxBytes of fleet.json allows 8192");
    await expect(makeRoom(control, { ...small, manifests }, place("one-more"))).rejects.toThrow(
      "tenant one-more was not added, the directory has no room",
    );
    // Files and Redis take what comes.
    expect((await publishDirectory({ ...small, target: publication.target })).published).toBe(true);
    const unlimited = { ...small, config: { ...config, directory: { maxBytes: "none" as const } } };
    expect((await publishDirectory(unlimited)).published).toBe(false);
  });

  test("says that it is recorded when the target cannot be written", async () => {
    const broken = { ...fileTarget(file), write: () => Promise.reject(new Error("disk full")) };
    await expect(publishDirectory({ ...publication, target: broken })).rejects.toThrow(
      /version 1 is recorded, but could not be written .*disk full.*publish again/,
    );
    expect((await publishDirectory(publication)).snapshot.version).toBe(2);
  });

  test.each(['{"version": 3}', "", '{"version": 1, "tena', "[]", "\0"])(
    "sets aside what cannot be read, by name, and replaces it: %j",
    async (text) => {
      await add("nordic");
      await publishDirectory(publication);
      await writeFile(file, text);
      await add("another");
      const { snapshot, warnings } = await publishDirectory(publication);
      expect(await read()).toEqual(snapshot);
      expect(snapshot.tenants).toEqual({ another: ["eu", 1], nordic: ["eu", 1] });
      const aside = (await readdir(folder)).filter((name) => name.startsWith("directory.json.unreadable-"));
      expect(aside).toHaveLength(1);
      expect(await readFile(join(folder, aside[0] ?? ""), "utf8")).toBe(text);
      expect(warnings.join()).toContain(aside[0]);
    },
  );

  test("refuses targets that are none", () => {
    expect(() => openTarget("https://edge-config.vercel.com/ecfg_x?token=t")).toThrow("named by its id");
    expect(() => openTarget("ecfg_x")).toThrow("EDGE_CONFIG_API_TOKEN");
    expect(() => openTarget("ftp://x/y")).toThrow("neither a file, a redis:// URL nor");
  });
});

describe("rollbackDirectory", () => {
  test("publishes the content of an earlier version under a greater one", async () => {
    await add("nordic");
    const good = (await publishDirectory(publication)).snapshot;
    const bad = (await publishDirectory({ ...publication, origins: () => elsewhere })).snapshot;
    expect(await diffDirectory(publication, good.version)).toMatchObject({
      present: bad.version,
      refusals: [],
      changes: [
        {
          kind: "changed",
          what: "cell",
          name: "eu",
          before: "eu, https://wrong.proveniq.io, https://wrong.proveniq.io",
        },
      ],
    });
    const another: WhoIs = async () => ({ id: "us", residency: "us" });
    await expect(rollbackDirectory({ ...publication, whoIs: another }, good.version)).rejects.toThrow(
      "answers as cell us",
    );
    const { snapshot } = await rollbackDirectory(publication, good.version);
    expect(snapshot.version).toBeGreaterThan(bad.version);
    expect({ ...snapshot, version: 0, publishedAt: "" }).toEqual({ ...good, version: 0, publishedAt: "" });
    expect(await read()).toEqual(snapshot);
    expect((await audited()).at(-1)).toEqual([
      "directory.rollback",
      { version: snapshot.version, contentOf: good.version, at: file, changes: 1 },
    ]);
  });

  test("keeps the places of now where cells move from place to place", async () => {
    await add("nordic");
    const first = (await publishDirectory(publication)).snapshot;
    const moved = { ...publication, origins: () => elsewhere, placesMove: true };
    await publishDirectory(moved);
    await expect(rollbackDirectory(moved, first.version)).resolves.toMatchObject({ published: false });
    expect((await read())?.topology.cells["eu"]?.api).toBe("https://wrong.proveniq.io");
  });

  test("refuses to drop a tenant that has come since, and a version that is not kept", async () => {
    const first = (await publishDirectory(publication)).snapshot;
    await add("nordic");
    const next = (await publishDirectory(publication)).snapshot;
    await expect(rollbackDirectory(publication, first.version)).rejects.toThrow("tenant nordic");
    await expect(rollbackDirectory(publication, 99)).rejects.toThrow(
      `version 99 is not kept; there are ${first.version}, ${next.version}`,
    );
    expect(await read()).toEqual(next);
  });
});

/** The same registry, as if a restored backup had lost its tenants. */
function forgetful(registry: Registry, placements: Placement[] = []): Registry {
  return Object.assign(Object.create(registry) as Registry, {
    snapshot: async () => ({ ...(await registry.snapshot()), placements }),
    published: (version: number) => registry.published(version),
    publishedVersions: () => registry.publishedVersions(),
    recordPublished: (...args: Parameters<Registry["recordPublished"]>) => registry.recordPublished(...args),
  });
}
