import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Rig, startRig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig(30_080);
}, 180_000);
afterAll(() => rig?.stop());

const quick = ["--bake", "4s", "--window", "4s"];
const nothingFailed = expect.objectContaining({ failed: [] });

describe("a deploy", () => {
  it("of a good version drops no request, and touches no other cell", async () => {
    const folder = await rig.pack("good");
    const before = await rig.digest("consumer");
    const load = rig.load();
    const { code, result, log } = await rig.cli("deploy", "eu", "--artefact", folder, ...quick).ended;
    expect([code, log]).toEqual([0, expect.stringContaining("1 of 1")]);
    const digest = folder.split("/").at(-1);
    expect(result).toMatchObject({ cell: "eu", outcome: "done", serving: { digest } });
    expect(await rig.digest("eu")).toBe(digest);
    expect(await rig.digest("consumer")).toBe(before);
    expect((await rig.state()).cells["eu"]).toMatchObject({ artefact: digest });
    expect((await rig.state()).cells["eu"]?.beside).toBeUndefined();
    expect(await load.stop()).toEqual({ eu: nothingFailed, consumer: nothingFailed });
  }, 120_000);

  it("can be taken back", async () => {
    const now = await rig.digest("eu");
    const { code, result } = await rig.cli("rollback", "eu").ended;
    expect(code).toBe(0);
    expect(result).toMatchObject({ outcome: "done" });
    expect(await rig.digest("eu")).not.toBe(now);
  }, 60_000);
});

describe("a rollout", () => {
  it("of a good version drops no request in any cell, and ends with one digest", async () => {
    const folder = await rig.pack("good", "everywhere");
    const load = rig.load();
    const args = ["--artefact", folder, "--no-canary", ...quick];
    const { code, result, log } = await rig.cli("deploy", "--waves", ...args).ended;
    expect([code, result], log).toEqual([0, expect.objectContaining({ outcome: "done" })]);
    const digest = folder.split("/").at(-1);
    expect([await rig.digest("eu"), await rig.digest("consumer")]).toEqual([digest, digest]);
    expect(await load.stop(), log).toEqual({ eu: nothingFailed, consumer: nothingFailed });
  }, 180_000);

  it("of a version that turns bad touches the first wave's cell only, and puts it back within 15 s", async () => {
    const before = { eu: await rig.digest("eu"), consumer: await rig.digest("consumer") };
    const load = rig.load();
    const args = ["--artefact", await rig.pack("errors"), "--no-canary", "--bake", "16s", "--window", "4s"];
    const { code, result, log } = await rig.cli("deploy", "--waves", ...args).ended;
    expect([code, log]).toEqual([1, expect.stringContaining("the former version serves again")]);
    expect(result).toMatchObject({
      outcome: "stopped",
      cells: [
        { cellId: "eu", state: "rolled-back" },
        { cellId: "consumer", state: "waiting" },
      ],
    });
    expect({ eu: await rig.digest("eu"), consumer: await rig.digest("consumer") }).toEqual(before);
    const [ill, well] = [": putting", "the former version serves again"].map((text) => secondsOf(log, text));
    expect((well ?? 0) - (ill ?? 0)).toBeLessThan(15);
    expect((await load.stop())["consumer"]).toEqual(nothingFailed);
    const status = await rig.cli("deploy", "--status").ended;
    expect(status.result).toMatchObject({
      rollout: { outcome: "stopped" },
      deploys: expect.arrayContaining([expect.objectContaining({ cellId: "eu", outcome: "rolled-back" })]),
    });
  }, 120_000);
});

/** Seconds of the day of the first line that holds this. */
function secondsOf(log: string, text: string): number {
  const [h = 0, m = 0, s = 0] = (log.split("\n").find((line) => line.includes(text)) ?? "")
    .slice(0, 8)
    .split(":")
    .map(Number);
  return h * 3_600 + m * 60 + s;
}
