import { describe, expect, it } from "vitest";
import { readConfig } from "../config.ts";

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
      traces: undefined,
      logLevel: "info",
    });
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
