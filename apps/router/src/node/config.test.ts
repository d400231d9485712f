import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readConfig } from "../config.ts";
import { limitsEnvironment, limitsOf } from "../limits.ts";

describe("readConfig", () => {
  it("needs a directory and the zone; the rest has a default", () => {
    expect(readConfig({ DIRECTORY_FILE: "d.json", FLEET_ZONE: "proveniq.io" })).toEqual({
      port: 8080,
      host: "0.0.0.0",
      metricsPort: undefined,
      directory: { kind: "file", file: "d.json" },
      origins: { zone: "proveniq.io", loopback: false },
      development: false,
      project: undefined,
      proofSecrets: [],
      traces: undefined,
      logLevel: "info",
      limits: limitsOf(z.object(limitsEnvironment).parse({})),
    });
  });

  it("divides the descriptors between clients and cells, unless it is told how", () => {
    const shares = (env: Record<string, string>, descriptors?: number) => {
      const { server, upstream } = readConfig(
        { DIRECTORY_FILE: "d", FLEET_ZONE: "proveniq.io", ...env },
        descriptors,
      ).limits;
      return [server.maxClients, upstream.maxTotal, upstream.maxConnections];
    };
    expect(shares({})).toEqual([16_384, 8_192, 2_048]);
    expect(shares({}, 256)).toEqual([144, 48, 48]);
    expect(shares({ CLIENT_CONNECTIONS: "100", UPSTREAM_CONNECTIONS: "20" }, 256)).toEqual([100, 92, 20]);
  });

  it("has a line in docs/router.md for each limit, with its default", async () => {
    const page = await readFile(new URL("../../../../docs/router.md", import.meta.url), "utf8");
    const defaults: Record<string, unknown> = z.object(limitsEnvironment).parse({});
    for (const name of Object.keys(limitsEnvironment)) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` |`)) ?? "";
      const value = defaults[name];
      expect({ name, row }).toEqual({
        name,
        row: expect.stringContaining(typeof value === "number" ? `| ${value} |` : "|"),
      });
    }
  });

  it.each([
    [
      { EDGE_CONFIG: "https://x/ecfg_1?token=t" },
      { kind: "edge-config", connection: "https://x/ecfg_1?token=t", keep: undefined },
    ],
    [
      { DIRECTORY_REDIS: "redis://r:6379", DIRECTORY_KEEP: "k" },
      { kind: "redis", url: "redis://r:6379", keep: "k" },
    ],
  ])("takes the directory from %j", (env, directory) => {
    expect(readConfig({ ...env, FLEET_ZONE: "proveniq.io" }).directory).toEqual(directory);
  });

  it.each([
    [{}, /exactly one/],
    [{ DIRECTORY_FILE: "d", EDGE_CONFIG: "e" }, /exactly one/],
    [{ DIRECTORY_FILE: "d", DIRECTORY_KEEP: "k" }, /DIRECTORY_KEEP/],
    [{ DIRECTORY_REDIS: "http://x" }, /DIRECTORY_REDIS/],
    [{ DIRECTORY_FILE: "d", FLEET_ZONE: "" }, /FLEET_ZONE/],
    [{ DIRECTORY_FILE: "d", FLEET_ZONE: undefined }, /FLEET_ZONE/],
  ])("refuses %j", (env, message) => {
    expect(() => readConfig({ FLEET_ZONE: "proveniq.io", ...env })).toThrow(message);
  });

  it("names every fault at once", () => {
    const read = () => readConfig({ PORT: "99999", LOG_LEVEL: "loud", METRICS_PORT: "x" });
    for (const name of [/PORT/, /LOG_LEVEL/, /METRICS_PORT/]) expect(read).toThrow(name);
  });
});
