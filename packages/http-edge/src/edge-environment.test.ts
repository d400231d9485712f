import { describe, expect, it } from "vitest";
import { z } from "zod";
import { edgeEnvironment, edgeLimitsOf } from "./edge-environment.ts";
import { defaultEdgeLimits } from "./edge-limits.ts";

const schema = z.object(edgeEnvironment);
const read = (env: Record<string, string>) => edgeLimitsOf(schema.parse(env));

describe("a server's limits", () => {
  it("are the defaults where nothing is said", () => {
    expect(read({})).toEqual({ limits: defaultEdgeLimits, discardMs: 75_000 });
  });

  it.each([
    [{ HEAD_SECONDS: "0.5" }, { headMs: 500 }],
    [{ REQUEST_SECONDS: "3" }, { headMs: 3_000, requestMs: 3_000 }],
    [{ KEEP_ALIVE_SECONDS: "7" }, { keepAliveMs: 7_000 }],
    [{ LINGER_SECONDS: "1" }, { linger: { ms: 1_000 } }],
    [{ STALLED_READER_SECONDS: "9" }, { stalledReaderMs: 9_000 }],
    [{ CLIENT_CONNECTIONS: "12" }, { maxClients: 12 }],
    [{ PIPELINED_REQUESTS: "5" }, { maxWaiting: 5 }],
  ])("by %j", (env, limits) => {
    expect(read(env).limits).toEqual({ ...defaultEdgeLimits, ...limits });
  });

  it.each([
    ["HEAD_SECONDS", "0"],
    ["REQUEST_SECONDS", "-1"],
    ["KEEP_ALIVE_SECONDS", "soon"],
    ["DISCARD_SECONDS", "1e9"],
    ["CLIENT_CONNECTIONS", "0"],
    ["PIPELINED_REQUESTS", "1.5"],
  ])("are not %s=%s", (name, value) => {
    expect(schema.safeParse({ [name]: value }).success).toBe(false);
  });

  it.each([
    [256, 144],
    [20, 6],
    [1_048_576, 16_384],
    [undefined, 16_384],
  ])("leave of %s descriptors %s to clients", (descriptors, clients) => {
    expect(edgeLimitsOf({}, {}, descriptors).limits.maxClients).toBe(clients);
  });
});
