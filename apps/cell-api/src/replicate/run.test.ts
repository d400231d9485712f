import { expect, test } from "vitest";
import { type Logger, silentLogger } from "../log.ts";
import type { Step } from "./replicator.ts";
import { runReplicator } from "./run.ts";

/** Run over a script of steps; the last one ends it. */
async function run(script: (Step | Error)[], more: { logger?: Logger; audit?: () => Promise<unknown> } = {}) {
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
  const logger = { ...silentLogger, warn: (fields: object) => warned.push(fields) };
  const calls = await run([...Array.from({ length: 20 }, () => new Error("down")), "current"], { logger });
  expect(calls.filter((c) => c === "step")).toHaveLength(21);
  expect(warned.map((w) => Object.entries(w)[0]?.[1])).toEqual([1, 2, 4, 8, 16]);
});

test("a comparison that fails is no reason to stop", async () => {
  const calls = await run(["current", "current", "waiting"], {
    audit: () => Promise.reject(new Error("no")),
  });
  expect(calls.filter((c) => c === "step")).toHaveLength(3);
});
