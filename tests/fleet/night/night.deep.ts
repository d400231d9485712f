import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DirectorySnapshot } from "@proveniq/contracts";
import { controlClient, type FleetControl } from "@proveniq/local-cloud/control";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Night, startNight } from "./rig.ts";

let night: Night;
let control: FleetControl;
beforeAll(async () => {
  night = await startNight(28_080);
  control = controlClient(night.fleet.state.control);
}, 180_000);
afterAll(() => night?.stop());

const directory = async () => JSON.parse(await readFile(night.directoryFile, "utf8")) as DirectorySnapshot;
const put = (document: unknown) => writeFile(night.directoryFile, JSON.stringify(document));

/**
 * What is played; what status says of it; what mends it when that is no command: the cause was outside. Each command that status
 * recommends is typed, and the problem must be gone.
 */
const faults: [string, () => Promise<unknown>, RegExp, (() => Promise<unknown>)?][] = [
  [
    "a directory that is cut in the middle",
    async () => writeFile(night.directoryFile, (await readFile(night.directoryFile, "utf8")).slice(0, 300)),
    /the directory could not be read/,
  ],
  [
    "a directory that is gone",
    () => rm(night.directoryFile),
    /the directory could not be read \(there is none/,
  ],
  [
    "a version that nobody can have reached",
    async () => put({ ...(await directory()), version: Number.MAX_SAFE_INTEGER }),
    /routers read directory version 1,|the router uses directory version/,
  ],
  [
    "a wrong cell for a tenant, at the same version",
    async () => {
      const now = await directory();
      await put({ ...now, tenants: { ...now.tenants, "atelier-nord": ["consumer", 1] } });
    },
    /wrong about 1 tenants \(atelier-nord\)/,
  ],
  [
    "a wrong cell for a tenant, at a newer version",
    async () => {
      const now = await directory();
      const tenants = { ...now.tenants, "atelier-nord": ["consumer", 1] };
      await put({ ...now, version: now.version + 3, tenants });
      await sleep(1_500);
    },
    /wrong about 1 tenants \(atelier-nord\)/,
  ],
  [
    "an older directory than the router believes",
    async () => {
      const now = await directory();
      await put({ ...now, version: now.version + 5 });
      await sleep(1_500);
      await put(now);
    },
    /the router uses directory version \d+, and not version \d+/,
  ],
  [
    "a host that nobody placed",
    async () => {
      const now = await directory();
      await put({
        ...now,
        version: now.version + 1,
        tenantHosts: { ...now.tenantHosts, "x.example": "atelier-nord" },
      });
    },
    /the directory is not as the registry and infra\/ say: host x\.example|routers read directory version/,
  ],
  [
    "a cell that takes connections and never answers",
    () => night.stopped("eu"),
    /^eu: the API does not answer/m,
    () => night.goOn("eu"),
  ],
  [
    "a central database that hangs",
    () => control.relay("central").stall(),
    /the registry could not be read/,
    () => control.relay("central").restore(),
  ],
  ["an emulator that was killed", () => night.killEmulator("eu"), /the database of eu was lost at/],
];

describe("what status says at night, and what it says to type", () => {
  it.each(faults)(
    "%s",
    async (_, play, told, mend) => {
      await night.untilWell();
      await play();
      const ill = await night.untilIll(told);
      // A cell that is ill is not taken for a dead router.
      expect(ill.text).not.toContain("the router does not answer");
      await (mend ?? (() => night.type(ill.next)))();
      await night.untilWell();
      expect(await night.asked("atelier-nord")).toBe(200);
    },
    90_000,
  );

  it("keeps what could not be read, by name", async () => {
    const folder = join(night.directoryFile, "..");
    expect((await readdir(folder)).some((name) => name.startsWith("directory.json.unreadable-"))).toBe(true);
  });

  it("takes out a tenant whom somebody added by mistake, and refuses one with data", async () => {
    expect((await night.cli("tenants", "add", "mistake", "--cell", "eu")).code).toBe(0);
    expect(await night.asked("mistake")).toBe(401);
    expect((await night.cli("tenants", "remove", "mistake")).code).toBe(0);
    expect((await directory()).tenants["mistake"]).toBeUndefined();
    const refused = await night.cli("tenants", "remove", "atelier-nord");
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/it has \d+ items/)]);
    const history = await night.cli("directory", "history", "--last", "2");
    expect(history.out).toMatch(/removed +tenant +mistake/);
  });

  it("ends a command with its error when the central database hangs", async () => {
    await control.relay("central").stall();
    try {
      const started = Date.now();
      const { code, err } = await night.cli("tenants", "list");
      expect([code, err]).toEqual([1, expect.stringContaining("did not answer in time")]);
      expect(Date.now() - started).toBeLessThan(14_000);
    } finally {
      await control.relay("central").restore();
    }
  }, 60_000);
});
