import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Load, type Rig, startRig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig(30_080);
}, 180_000);
afterAll(() => rig?.stop());

const quick = ["--bake", "4s", "--window", "4s"];
const nothingFailed = expect.objectContaining({ failed: [] });

/** Load that ends with the test, however that ends. */
function load(): Load {
  const started = rig.load();
  onTestFinished(async () => void (await started.stop()));
  return started;
}

/** A good version that no cell has run yet, also when the test is tried again: one that is there already would be deployed by doing nothing. */
const newVersion = () => rig.pack("good", `${Date.now()}`);

/** Expect that every cell was asked all the time and always answered; `log` tells what was going on if not. */
async function expectNothingDropped(under: Load, log: string): Promise<void> {
  const seen = await under.stop();
  expect(seen, log).toEqual({ eu: nothingFailed, consumer: nothingFailed });
  expect(Math.min(...Object.values(seen).map(({ requests }) => requests))).toBeGreaterThan(100);
}

describe("a deploy", () => {
  it("of a good version drops no request, and touches no other cell", async () => {
    const folder = await newVersion();
    const before = await rig.digest("consumer");
    const people = load();
    const { code, result, log } = await rig.cli("deploy", "eu", "--artefact", folder, ...quick).ended;
    expect([code, log]).toEqual([0, expect.stringContaining("1 of 1")]);
    const digest = folder.split("/").at(-1);
    expect(result).toMatchObject({ cell: "eu", outcome: "done", serving: { digest } });
    expect(await rig.digest("eu")).toBe(digest);
    expect(await rig.digest("consumer")).toBe(before);
    expect((await rig.state()).cells["eu"]).toMatchObject({ artefact: digest });
    expect((await rig.state()).cells["eu"]?.beside).toBeUndefined();
    await expectNothingDropped(people, log);
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
    const folder = await newVersion();
    const people = load();
    const args = ["--artefact", folder, "--no-canary", ...quick];
    const { code, result, log } = await rig.cli("deploy", "--waves", ...args).ended;
    expect([code, result], log).toEqual([0, expect.objectContaining({ outcome: "done" })]);
    const digest = folder.split("/").at(-1);
    expect([await rig.digest("eu"), await rig.digest("consumer")]).toEqual([digest, digest]);
    await expectNothingDropped(people, log);
  }, 180_000);

  it("of a version that turns bad touches the first wave's cell only, and puts it back within 15 s", async () => {
    const before = { eu: await rig.digest("eu"), consumer: await rig.digest("consumer") };
    const people = load();
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
    expect((await people.stop())["consumer"]).toEqual(nothingFailed);
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
