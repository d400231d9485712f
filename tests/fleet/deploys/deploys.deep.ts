import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Load, type Rig, startRig } from "./rig.ts";
import type { Fault } from "./versions.ts";

let rig: Rig;
let load: Load;
let before: Record<"eu" | "consumer", string>;

beforeAll(async () => {
  rig = await startRig(31_080);
}, 180_000);
afterAll(() => rig?.stop());
beforeEach(async () => {
  before = await digests();
  load = rig.load();
});
afterEach(async () => {
  await load.stop();
});

const digests = async () => ({ eu: await rig.digest("eu"), consumer: await rig.digest("consumer") });
const nothingFailed = expect.objectContaining({ failed: [] });

describe("a rollout under load of a version that turns bad", () => {
  it.each<[Fault, RegExp, "rolled-back" | "failed"]>([
    ["errors", /requests failed|: 500/, "rolled-back"],
    ["slow", /latency|no answer/, "rolled-back"],
    ["silent", /no answer|no data|requests failed/, "rolled-back"],
    ["wrong-digest", /wrong digest/, "rolled-back"],
    ["half-of-lists", /items: 500|requests failed/, "rolled-back"],
    ["does-not-start", /ended .* before it was ready/, "rolled-back"],
  ])(
    "%s: is stopped at the first cell, and every other cell serves on",
    async (fault, reason, state) => {
      const args = ["--artefact", await rig.pack(fault), "--no-canary", "--bake", "30s", "--window", "5s"];
      const started = Date.now();
      const { code, result } = await rig.cli("deploy", "--waves", ...args).ended;
      expect([code, result]).toEqual([
        1,
        expect.objectContaining({ outcome: "stopped", reason: expect.stringMatching(reason) }),
      ]);
      expect(result).toMatchObject({
        cells: [
          { cellId: "eu", state },
          { cellId: "consumer", state: "waiting" },
        ],
      });
      expect(await digests()).toEqual(before);
      expect((await rig.state()).cells["eu"]?.beside).toBeUndefined();
      const { consumer, eu } = await load.stop();
      expect(consumer).toEqual(nothingFailed);
      // A version that never served harms nobody at all.
      const harmless = ["does-not-start", "wrong-digest"].includes(fault);
      expect(harmless ? eu : { failed: [] }).toEqual(nothingFailed);
      expect(Date.now() - started).toBeLessThan(100_000);
    },
    180_000,
  );
});

describe("a deploy whose process is killed", () => {
  /** What it says just before the moment at which it dies. */
  it.each(["begin ", "upload", "baseline", "apply ", "smoke ", "watch ", "settle "])(
    "at %s: making it again ends clean",
    async (step) => {
      const folder = await rig.pack("good", `killed at ${step} ${Date.now()}`);
      const args = ["deploy", "eu", "--artefact", folder, "--bake", "3s", "--window", "3s"];
      const first = rig.cli(...args);
      await first.said(` ${step}`);
      first.kill();
      await first.ended;
      const { code, result } = await rig.cli(...args).ended;
      expect([code, result]).toEqual([0, expect.objectContaining({ outcome: "done" })]);
      expect(await rig.digest("eu")).toBe(folder.split("/").at(-1));
      expect(await rig.digest("consumer")).toBe(before.consumer);
      expect((await rig.state()).cells["eu"]?.beside).toBeUndefined();
      expect(await load.stop()).toEqual({ eu: nothingFailed, consumer: nothingFailed });
    },
    240_000,
  );

  it("while it puts the former version back: a rollback ends clean", async () => {
    const folder = await rig.pack("errors", `killed ${Date.now()}`);
    const first = rig.cli("deploy", "eu", "--artefact", folder, "--bake", "20s", "--window", "5s");
    await first.said(" rollback ");
    first.kill();
    await first.ended;
    const { code } = await rig.cli("rollback", "eu").ended;
    expect(code).toBe(0);
    expect(await digests()).toEqual(before);
    expect((await rig.state()).cells["eu"]?.beside).toBeUndefined();
  }, 240_000);

  it("and by a person's Ctrl-C: what was begun is put back at once", async () => {
    const folder = await rig.pack("good", `interrupted ${Date.now()}`);
    const first = rig.cli("deploy", "eu", "--artefact", folder, "--bake", "60s", "--window", "5s");
    await first.said(" watch ");
    first.interrupt();
    const { code, result } = await first.ended;
    expect([code, result]).toEqual([
      1,
      expect.objectContaining({ outcome: "rolled-back", reason: "it was interrupted" }),
    ]);
    expect(await digests()).toEqual(before);
    expect(await load.stop()).toEqual({ eu: nothingFailed, consumer: nothingFailed });
  }, 120_000);
});

describe("a whole rollout", () => {
  it("is refused while one of another artefact has not ended, and says how to end it", async () => {
    const args = (folder: string) => ["deploy", "--waves", "--artefact", folder, "--no-canary"];
    const first = rig.cli(...args(await rig.pack("good", "one")), "--bake", "60s");
    await first.said("baseline");
    first.kill();
    const second = await rig.cli(...args(await rig.pack("good", "two")), "--bake", "4s", "--window", "4s")
      .ended;
    expect([second.code, second.result]).toEqual([1, { error: expect.stringContaining("--abandon") }]);
    const third = await rig.cli(...args(await rig.pack("good", "one")), "--bake", "4s", "--window", "4s")
      .ended;
    expect([third.code, third.log]).toEqual([0, expect.stringContaining("going on with the rollout")]);
    expect(await rig.digest("eu")).toBe(await rig.digest("consumer"));
  }, 240_000);

  it("with the synthetic canary first, drops nothing in any cell and ends with one digest", async () => {
    const folder = await rig.pack("good", `whole ${Date.now()}`);
    const args = ["deploy", "--waves", "--artefact", folder, "--bake", "5s", "--window", "5s"];
    const { code, result, log } = await rig.cli(...args).ended;
    expect([code, result]).toEqual([0, expect.objectContaining({ outcome: "done", canary: "passed" })]);
    const digest = folder.split("/").at(-1);
    expect(await digests()).toEqual({ eu: digest, consumer: digest });
    expect(await load.stop(), log).toEqual({ eu: nothingFailed, consumer: nothingFailed });
  }, 240_000);

  it("of a version that does not start ends at the canary, and touches no cell", async () => {
    const folder = await rig.pack("does-not-start", `canary ${Date.now()}`);
    const { code, result } = await rig.cli("deploy", "--waves", "--artefact", folder).ended;
    expect([code, result]).toEqual([1, expect.objectContaining({ outcome: "stopped", canary: "failed" })]);
    expect(await digests()).toEqual(before);
    expect(await load.stop()).toEqual({ eu: nothingFailed, consumer: nothingFailed });
  }, 240_000);
});
