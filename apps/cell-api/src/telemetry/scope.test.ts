import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../log.ts";
import { runReplicator } from "../replicate/run.ts";
import { currentScope, scopeFields, within } from "./scope.ts";
import { untraced } from "./tracing.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";

describe("the scope of a log line", () => {
  it("names request, trace and span as the cloud looks for them", async () => {
    expect(scopeFields("p")).toEqual({});
    const fields = await within({ traceId, requestId: "r", spanId: "s" }, async () => {
      await sleep(1);
      return scopeFields("p");
    });
    expect(fields).toEqual({
      requestId: "r",
      traceId,
      "logging.googleapis.com/trace": `projects/p/traces/${traceId}`,
      "logging.googleapis.com/spanId": "s",
      "logging.googleapis.com/trace_sampled": true,
    });
    expect(within({ traceId }, () => scopeFields("p"))).toEqual({
      traceId,
      "logging.googleapis.com/trace": `projects/p/traces/${traceId}`,
    });
  });

  it("is one of its own for each request at the same time", async () => {
    const seen = await Promise.all(
      ["a", "b", "c"].map((id) =>
        untraced.begin(undefined, false).run(id, async () => {
          await sleep(Math.random() * 5);
          return currentScope();
        }),
      ),
    );
    expect(seen.map((scope) => scope?.requestId)).toEqual(["a", "b", "c"]);
    expect(new Set(seen.map((scope) => scope?.traceId)).size).toBe(3);
  });

  it("is a new one for each step of the replicator, failures included", async () => {
    const traces: (string | undefined)[] = [];
    const stop = new AbortController();
    await runReplicator({
      replicator: {
        step: () => Promise.reject(new Error("down")),
        release: async () => undefined,
      },
      paused: async () => undefined,
      audit: async () => undefined,
      logger: {
        ...silentLogger,
        warn: () => {
          traces.push(currentScope()?.traceId);
          if (traces.length === 3) stop.abort();
        },
      },
      pollMs: 1,
      auditMs: 1_000,
      signal: stop.signal,
    });
    for (const id of traces) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(traces).size).toBe(3);
  });
});
