import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessLine } from "@proveniq/contracts/access-line";
import { tenantHash } from "@proveniq/http-edge";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Log, type RequestRecord } from "./log.ts";

const file = join(tmpdir(), `router-log-${process.pid}.txt`);
let fd: number;
const lines = (): unknown[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

beforeEach(() => {
  fd = openSync(file, "w");
});
afterEach(() => {
  closeSync(fd);
  rmSync(file);
});

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const record: RequestRecord = {
  requestId: "abcdefgh",
  traceId,
  spanId: undefined,
  parentSpanId: undefined,
  method: "GET",
  host: 'evil"\n.example',
  tenantId: "carrier-a",
  cell: "eu",
  service: "api",
  reason: "placement",
  status: 502,
  problem: "cell-unreachable",
  failure: 'reset: "gone"\n',
  attempts: 2,
  totalMs: 1.2345,
  cellMs: undefined,
};

describe("Log", () => {
  it("writes one line of JSON a request, whatever the client sent, with the tenant hashed", () => {
    const log = new Log("info", undefined, fd);
    log.request(record);
    log.flushSync();
    expect(lines()).toEqual([
      {
        severity: "INFO",
        time: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
        message: "request",
        requestId: "abcdefgh",
        traceId,
        method: "GET",
        host: 'evil"\n.example',
        tenant: tenantHash("carrier-a"),
        cell: "eu",
        service: "api",
        reason: "placement",
        status: 502,
        problem: "cell-unreachable",
        failure: 'reset: "gone"\n',
        attempts: 2,
        totalMs: 1.2,
      },
    ]);
    expect(accessLine.parse(lines()[0])).toEqual(lines()[0]);
    expect(readFileSync(file, "utf8")).not.toContain("carrier-a");
    expect(tenantHash("carrier-a")).toMatch(/^[0-9a-f]{12}$/);
  });

  it("names the trace where the cloud looks for it, when it is told the project", () => {
    const log = new Log("info", "proveniq-central", fd);
    log.request(record);
    log.flushSync();
    expect(lines()).toMatchObject([
      { traceId, "logging.googleapis.com/trace": `projects/proveniq-central/traces/${traceId}` },
    ]);
  });

  it("writes by itself soon after, in order", async () => {
    const log = new Log("info", undefined, fd);
    for (let n = 0; n < 100; n += 1) log.event("info", "x", { n });
    await vi.waitFor(() => expect(lines()).toHaveLength(100));
    expect(lines().at(-1)).toMatchObject({ n: 99 });
  });

  it("keeps to its level", () => {
    const log = new Log("warn", undefined, fd);
    log.request(record);
    log.event("info", "x");
    log.event("warn", "y");
    log.flushSync();
    expect(lines()).toMatchObject([{ severity: "WARNING", message: "y" }]);
  });
});
