import { describe, expect, it } from "vitest";
import { readConfig } from "../config.ts";

describe("readConfig", () => {
  it("needs a directory; the rest has a default", () => {
    expect(readConfig({ DIRECTORY_FILE: "d.json" })).toEqual({
      port: 8080,
      host: "0.0.0.0",
      directoryFile: "d.json",
      development: false,
      logLevel: "info",
    });
  });

  it("names every fault at once", () => {
    const read = () => readConfig({ PORT: "99999", LOG_LEVEL: "loud" });
    expect(read).toThrow(/PORT/);
    expect(read).toThrow(/LOG_LEVEL/);
    expect(read).toThrow(/DIRECTORY_FILE/);
  });
});
