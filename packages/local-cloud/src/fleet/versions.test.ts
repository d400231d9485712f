import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestFolder } from "@proveniq/control-plane/artefact";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { InstalledArtefact } from "./artefact.ts";
import { LocalCells, type VersionedCell } from "./versions.ts";

let folder: string;
let next: InstalledArtefact;
let happened: string[];
let publishing: () => void;
let cells: LocalCells;

/** A cell without processes: it writes down what it is told. */
function makeCell(): VersionedCell {
  const place = { api: "http://127.0.0.1:1", bulk: "http://127.0.0.1:2" };
  let serving: InstalledArtefact = { digest: "old", commit: "c", folder: "old" };
  let beside: InstalledArtefact | undefined;
  let replicates = "old";
  return {
    id: "eu",
    get artefact() {
      return serving;
    },
    get state() {
      const other = beside === undefined ? {} : { beside: { artefact: beside.digest, place } };
      return { artefact: serving.digest, place, ...other };
    },
    stage: async (artefact) => {
      happened.push("stage begins");
      await new Promise((resolve) => setTimeout(resolve, 20));
      beside = artefact;
      happened.push("staged");
    },
    flip: (digest) => {
      if (serving.digest === digest) return;
      if (beside?.digest !== digest) throw new Error("it does not stand beside");
      [serving, beside] = [beside, serving];
    },
    runReplicator: async () => {
      if (replicates !== serving.digest)
        happened.push(`replicator ${serving.digest === "old" ? "old" : "next"}`);
      replicates = serving.digest;
    },
    settle: async () => {
      beside = undefined;
    },
    services: () => [],
    stop: async () => undefined,
  };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "versions-"));
  await mkdir(join(folder, "made"));
  await writeFile(join(folder, "made", "server.js"), "next");
  const digest = await digestFolder(join(folder, "made"));
  await mkdir(join(folder, digest));
  await writeFile(join(folder, digest, "server.js"), "next");
  next = { digest, commit: "c", folder: join(folder, digest) };
  happened = [];
  publishing = () => happened.push("published");
  cells = new LocalCells({
    artefacts: folder,
    publish: async () => publishing(),
    tell: async () => undefined,
    runSink: async () => void happened.push("sink"),
  });
  cells.add(makeCell());
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a change of a cell's version", () => {
  it("whose directory could not be written is ended by asking again: its replicator and sink follow", async () => {
    await cells.stage("eu", next);
    publishing = () => {
      throw new Error("the centre is down");
    };
    await expect(cells.serve("eu", next.digest)).rejects.toThrow("the centre is down");
    expect(happened).not.toContain("replicator next");
    publishing = () => happened.push("published");
    await cells.serve("eu", next.digest);
    expect(happened.slice(-3)).toEqual(["published", "replicator next", "sink"]);
  });

  it("waits for the one before it, also for one that failed", async () => {
    const none = cells.serve("eu", "f".repeat(64));
    const [staged, served] = [cells.stage("eu", next), cells.serve("eu", next.digest)];
    await expect(none).rejects.toThrow("does not stand beside");
    await Promise.all([staged, served]);
    expect(happened.slice(0, 3)).toEqual(["stage begins", "staged", "published"]);
  });

  it("is refused for a cell that is not there, and an artefact that is not, or was changed", async () => {
    await expect(cells.stage("mars", next)).rejects.toThrow("No cell mars runs");
    await expect(cells.stage("eu", { digest: "f".repeat(64), commit: "c" })).rejects.toThrow(
      "was never brought here",
    );
    await writeFile(join(next.folder, "server.js"), "changed");
    await expect(cells.stage("eu", next)).rejects.toThrow("it was changed");
    expect(happened).toEqual([]);
  });

  it("shows in the fleet's state", async () => {
    const state = {
      eu: {
        artefact: "",
        api: "",
        bulk: "",
        sink: "s",
        relay: "r",
        emulator: "e",
        project: "p",
        databases: [],
      },
    };
    await cells.stage("eu", next);
    expect(cells.placesIn(state)["eu"]).toMatchObject({ artefact: "old", beside: { artefact: next.digest } });
    await cells.serve("eu", next.digest);
    await cells.settle("eu");
    expect(cells.placesIn(state)["eu"]).toMatchObject({ artefact: next.digest, sink: "s" });
    expect(cells.placesIn(state)["eu"]?.beside).toBeUndefined();
  });
});
