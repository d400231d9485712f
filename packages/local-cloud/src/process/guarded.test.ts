import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spawnGuarded } from "./guarded.ts";
import { ancestors, isAlive, watchLifeline } from "./lifeline.ts";
import { endOrphans, markOf } from "./orphans.ts";
import { Service } from "./service.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "guarded-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

async function until(true_: () => boolean, withinMs = 4_000): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (!true_() && Date.now() < deadline) await sleep(20);
  return true_();
}

describe("children whose guardians were killed", () => {
  const play = (env: string) => {
    const script = `
      import { spawnGuarded } from ${JSON.stringify(new URL("./guarded.ts", import.meta.url).href)};
      const child = spawnGuarded("sleep", ["60"], { env: { ...process.env, ${env} } });
      console.log(process.pid, child.pid);
      setInterval(() => undefined, 1000);`;
    return spawn(process.execPath, ["--input-type=module", "-e", script]);
  };
  const watchdogOf = (pid: number) =>
    Number(
      execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" })
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .find(([, ppid, ...args]) => Number(ppid) === pid && args.join(" ").includes("watchdog.ts"))?.[0],
    );

  it("end all the same when the watchdog was killed first, and then the parent", async () => {
    const parent = play("");
    const [line] = await once(parent.stdout, "data");
    const [pid = 0, child = 0] = String(line).trim().split(" ").map(Number);
    const first = watchdogOf(pid);
    process.kill(first, "SIGKILL");
    expect(await until(() => watchdogOf(pid) > 0 && watchdogOf(pid) !== first)).toBe(true);
    await sleep(300);
    parent.kill("SIGKILL");
    expect(await until(() => !isAlive(child))).toBe(true);
  });

  it.skipIf(process.platform !== "linux")(
    "are found by their fleet's folder, and ended, also when they are stopped (only where there is /proc)",
    async () => {
      const stateDir = join(folder, "state");
      const parent = play(`...${JSON.stringify(markOf(stateDir))}`);
      const [line] = await once(parent.stdout, "data");
      const [pid = 0, child = 0] = String(line).trim().split(" ").map(Number);
      // Both at once: nobody has time to make another watchdog.
      process.kill(pid, "SIGSTOP");
      process.kill(watchdogOf(pid), "SIGKILL");
      process.kill(pid, "SIGKILL");
      process.kill(child, "SIGSTOP");
      await sleep(300);
      expect(isAlive(child)).toBe(true);
      expect(await endOrphans(join(folder, "another"))).toEqual([]);
      expect(await endOrphans(stateDir)).toEqual([child]);
      expect(await until(() => !isAlive(child))).toBe(true);
    },
  );
});

describe("a guarded child", () => {
  it("runs with its arguments as given, and tells how it ended", async () => {
    const child = spawnGuarded("/bin/sh", ["-c", 'printf %s "$1"; exit 7', "sh", "a b$c'"]);
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    await once(child.stdout, "end");
    expect(text).toBe("a b$c'");
    expect(await child.exited).toEqual({ code: 7, signal: null });
  });

  it("is killed after the grace when it does not heed SIGTERM, and its own children with it", async () => {
    const child = spawnGuarded("/bin/sh", ["-c", "trap '' TERM; sleep 60 & echo $!; wait; sleep 60"]);
    const [line] = await once(child.stdout, "data");
    const grandchild = Number(String(line));
    expect(isAlive(grandchild)).toBe(true);
    const started = Date.now();
    expect(await child.stop(200)).toEqual({ code: null, signal: "SIGKILL" });
    expect(Date.now() - started).toBeGreaterThanOrEqual(190);
    expect(await until(() => !isAlive(grandchild))).toBe(true);
  });

  it("dies soon after its parent was killed with -9, even when it ignores SIGTERM", async () => {
    const script = `
      import { spawnGuarded } from ${JSON.stringify(new URL("./guarded.ts", import.meta.url).href)};
      const mild = spawnGuarded("sleep", ["60"]);
      const stubborn = spawnGuarded("/bin/sh", ["-c", "trap '' TERM; while :; do sleep 0.1; done"]);
      console.log(mild.pid, stubborn.pid);
      setInterval(() => undefined, 1000);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script]);
    const [line] = await once(parent.stdout, "data");
    const [mild = 0, stubborn = 0] = String(line).trim().split(" ").map(Number);
    expect([isAlive(mild), isAlive(stubborn)]).toEqual([true, true]);
    parent.kill("SIGKILL");
    expect(await until(() => !isAlive(mild), 1_000)).toBe(true);
    expect(await until(() => !isAlive(stubborn), 4_000)).toBe(true);
  });

  it("cannot be started in a folder that does not exist", () => {
    expect(() => spawnGuarded("true", [], { cwd: join(folder, "no") })).toThrow("Could not start true");
  });
});

describe("a service", () => {
  const notes: string[] = [];
  const lines: string[] = [];
  const events = { line: (text: string) => lines.push(text), note: (text: string) => notes.push(text) };
  const make = (script: string, ready: (signal: AbortSignal) => Promise<void>) =>
    new Service(
      "it",
      {
        command: "/bin/sh",
        args: ["-c", script],
        cwd: folder,
        env: {},
        logFile: join(folder, "it.log"),
        ready,
      },
      events,
    );

  it("is started again when it dies, and not when it was stopped", async () => {
    const service = make("echo hello; sleep 60", async () => undefined);
    await service.start();
    const first = service.pid;
    expect(await until(() => lines.length === 1)).toBe(true);
    service.kill();
    expect(await until(() => service.pid !== first && lines.length === 2)).toBe(true);
    expect(notes[0]).toBe("ended (SIGKILL); starting again in 250 ms");
    expect(await until(() => notes.length === 2)).toBe(true);
    expect(notes[1]).toBe(`serves again (pid ${service.pid})`);
    await service.stop();
    const last = service.pid;
    await sleep(400);
    expect([service.pid, notes.length]).toEqual([last, 2]);
  });

  it("that cannot be started again is tried again, and takes nobody with it", async () => {
    const own = join(folder, "own");
    await mkdir(own);
    const told: string[] = [];
    const service = new Service(
      "it",
      {
        command: "sleep",
        args: ["60"],
        cwd: own,
        env: process.env,
        logFile: join(folder, "own.log"),
        ready: async () => undefined,
      },
      { line: () => undefined, note: (text) => told.push(text) },
    );
    await service.start();
    await rm(own, { recursive: true });
    service.kill();
    expect(await until(() => told.some((text) => text.startsWith("Could not start sleep")), 3_000)).toBe(
      true,
    );
    await mkdir(own);
    expect(await until(() => told.some((text) => text.startsWith("serves again")), 3_000)).toBe(true);
    await service.stop();
  });

  it("fails to start with its last words when it ends first, or is not ready in time", async () => {
    const broken = make("echo port is missing >&2; exit 3", () => new Promise(() => undefined));
    await expect(broken.start()).rejects.toThrow("it ended (exit code 3) before it was ready");
    const slow = make("sleep 60", (signal) =>
      once(signal, "abort").then(() => Promise.reject(new Error("no"))),
    );
    await expect(slow.start(100)).rejects.toThrow("it was not ready within 0.1 s");
    expect(await until(() => !isAlive(slow.pid ?? 0))).toBe(true);
  });
});

describe("the lifeline", () => {
  it("finds the processes that started us", async () => {
    const found = await ancestors();
    expect(found[0]?.pid).toBe(process.ppid);
  });

  it("tells when one of them has ended, once", async () => {
    const child = spawn("sleep", ["60"]);
    const gone: (number | undefined)[] = [];
    watchLifeline([process.pid, child.pid ?? 0], (pid) => gone.push(pid), 10);
    await sleep(50);
    expect(gone).toEqual([]);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await until(() => gone.length > 0)).toBe(true);
    await sleep(50);
    expect(gone).toEqual([child.pid]);
  });
});
