import type { Pause } from "@proveniq/contracts";
import { expect, test } from "vitest";
import { type Logger, silentLogger } from "../log.ts";
import type { Step } from "./replicator.ts";
import { runReplicator } from "./run.ts";

/** Run over a script of steps; the last one ends it. */
async function run(
  script: (Step | Error)[],
  more: {
    logger?: Logger;
    audit?: () => Promise<unknown>;
    paused?: () => Promise<Pause | undefined>;
    pausedMs?: number;
  } = {},
) {
  const stop = new AbortController();
  const calls: string[] = [];
  await runReplicator({
    replicator: {
      step: async () => {
        const next = script.shift();
        if (script.length === 0) stop.abort();
        calls.push("step");
        if (next === undefined || next instanceof Error) throw next ?? new Error("over");
        return next;
      },
      release: async () => {
        calls.push("release");
      },
    },
    paused: () => Promise.resolve(undefined),
    audit: async () => calls.push("audit"),
    logger: silentLogger,
    pollMs: 1,
    auditMs: 0,
    maxBackoffMs: 2,
    signal: stop.signal,
    ...more,
  });
  return calls;
}

test("it steps on while there is work, compares when there is none, and leaves the lease behind", async () => {
  expect(await run(["worked", "worked", "current", "waiting"])).toEqual([
    "step",
    "step",
    "step",
    "audit",
    "step",
    "release",
  ]);
});

test("failures are waited out, and a long outage does not drown the log", async () => {
  const warned: object[] = [];
  const tell = (fields: object) => warned.push(fields);
  const logger = { ...silentLogger, warn: tell, error: tell };
  const calls = await run([...Array.from({ length: 20 }, () => new Error("down")), "current"], { logger });
  expect(calls.filter((c) => c === "step")).toHaveLength(21);
  const alarm = "replicator-failing";
  expect(warned).toMatchObject([
    { failures: 1 },
    { failures: 2 },
    { failures: 4 },
    { failures: 8, alarm },
    { failures: 16, alarm },
  ]);
});

test("a comparison that fails is no reason to stop", async () => {
  const calls = await run(["current", "current", "waiting"], {
    audit: () => Promise.reject(new Error("no")),
  });
  expect(calls.filter((c) => c === "step")).toHaveLength(3);
});

test("while it is paused it neither steps nor compares, says why once, and goes on by itself", async () => {
  const said: [string, object][] = [];
  const logger = {
    ...silentLogger,
    info: (fields: object, text: string) => said.push([text, fields]),
    warn: (fields: object, text: string) => said.push([text, fields]),
  };
  const pause: Pause = {
    what: "replicator",
    since: "2026-11-28T00:00:00.000Z",
    who: "ann",
    from: "desk",
    reason: "the centre is being restored",
  };
  const answers = [undefined, pause, pause, pause, undefined];
  let looks = 0;
  const paused = () => Promise.resolve(answers[looks++]);
  const calls = await run(["worked", "worked"], { logger, paused, pausedMs: 1 });
  expect(calls).toEqual(["step", "step", "release"]);
  expect(looks).toBe(5);
  expect(said).toEqual([
    ["the replicator is paused and does nothing", { pause }],
    ["replicating goes on", {}],
  ]);
});
