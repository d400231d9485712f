import { describe, expect, it } from "vitest";
import { palette } from "./colour.ts";
import { formatLine } from "./log-line.ts";
import { table } from "./table.ts";

const plain = palette(false);
const output = (text: string) => formatLine({ source: "eu", kind: "output", text }, 6, plain);

describe("a table", () => {
  it("has columns as wide as their widest cell and no space at a line's end", () => {
    expect(
      table(
        [
          ["CELL", "REGION"],
          ["eu", "europe-west1"],
          ["enterprise-a", ""],
        ],
        "  ",
      ),
    ).toBe(["  CELL          REGION", "  eu            europe-west1", "  enterprise-a"].join("\n"));
    expect(table([])).toBe("");
  });
});

describe("colours", () => {
  it("are there only when wanted, and stay the same for a name", () => {
    expect(plain.red("x") + plain.of("eu")("x")).toBe("xx");
    const colours = palette(true);
    expect(colours.red("x")).toBe("\u001B[31mx\u001B[39m");
    expect(colours.of("eu")("x")).toBe(colours.of("eu")("x"));
  });
});

describe("a line of a log", () => {
  it("shows a request of a cell and of the router alike", () => {
    const cell = {
      severity: "INFO",
      time: "t",
      cell: "eu",
      requestId: "r",
      method: "GET",
      route: "/v1/items",
    };
    expect(output(JSON.stringify({ ...cell, status: 200, ms: 12, message: "request" }))).toBe(
      "eu     │ GET /v1/items 200 12 ms",
    );
    const router = {
      severity: "INFO",
      message: "request",
      method: "GET",
      host: "localhost:8080",
      status: 404,
    };
    expect(output(JSON.stringify({ ...router, totalMs: 1.5, cell: "eu", reason: "default" }))).toBe(
      "eu     │ GET localhost:8080 404 1.5 ms reason=default",
    );
  });

  it("shows warnings and errors as such", () => {
    expect(output('{"severity":"WARNING","message":"careful","n":1}')).toBe("eu     │ warning careful n=1");
    expect(output('{"level":50,"msg":"broken","err":{"type":"X"}}')).toBe(
      'eu     │ error broken err={"type":"X"}',
    );
  });

  it("is cut when a program prints a line of endless length", () => {
    const long = output("x".repeat(100_000));
    expect(long).toMatch(/^eu {5}│ x{2000} … \(the whole line is in the log file\)$/);
    expect(output("x".repeat(2_000))).toBe(`eu     │ ${"x".repeat(2_000)}`);
  });

  it("leaves out health checks, and only those", () => {
    expect(output('{"message":"request","route":"/ready","status":503}')).toBeUndefined();
    expect(output('{"message":"request","reason":"health"}')).toBeUndefined();
    expect(output('{"message":"listening","host":"127.0.0.1"}')).toBe("eu     │ listening host=127.0.0.1");
  });

  it("leaves alone what is no structured log", () => {
    expect(output("plain")).toBe("eu     │ plain");
    expect(output("{not json")).toBe("eu     │ {not json");
    expect(formatLine({ source: "fleet", kind: "note", text: "{}" }, 6, plain)).toBe("fleet  │ {}");
  });
});
