import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { entryOf, takes } from "./log-filter.ts";
import { root } from "./terraform.ts";

/*
 * Does an alarm ring? What each program really writes when it fails is held against the filter that its alert listens by.
 */
const folder = mkdtempSync(join(tmpdir(), "alarms-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The filter of a module's alert, with what Terraform fills in. */
function filterOf(module: string, name: string, filled: Record<string, string>): string {
  const text = readFileSync(join(root, "infra/terraform/modules", module), "utf8");
  const block = text.split(`resource "google_monitoring_alert_policy" "${name}"`)[1] ?? "";
  const [, filter = ""] = /condition_matched_log \{\s+filter += "(.*)"$/m.exec(block) ?? [];
  return filter
    .replaceAll('\\"', '"')
    .replaceAll(/\$\{([^}]+)\}/g, (_, expression: string) => filled[expression] ?? `no ${expression}`);
}

/** What a module of the repository writes to standard output when these lines are run with it, or it is run itself. */
function written(args: readonly string[], env: Record<string, string> = {}): Promise<string[]> {
  return new Promise((resolve) => {
    const whole = { PATH: process.env["PATH"], METADATA_SERVER_DETECTION: "none", ...env };
    const options = { cwd: root, env: whole, timeout: 30_000 };
    execFile(process.execPath, [...args], options, (_, stdout) =>
      resolve(stdout.split("\n").filter((line) => line.startsWith("{"))),
    );
  });
}
const run = (code: string, env?: Record<string, string>) => written(["--input-type=module", "-e", code], env);

const cell = (service: string) => ({
  filter: filterOf("cell/watching.tf", "alarms", { "local.names[each.value]": `eu-${service}` }),
  labels: { service_name: `eu-${service}` },
});
const logger = `import { createLogger } from "./apps/cell-api/src/log.ts";
const logger = createLogger({ level: "info", cell: "eu", project: "proveniq-prod-eu" });`;

describe("what a program says when it fails is counted", () => {
  it.each<[string, () => Promise<string[]>, { filter: string; labels: Record<string, string> }, string]>([
    [
      "the replicator, that cannot reach the centre",
      () =>
        run(`${logger}
import { runReplicator } from "./apps/cell-api/src/replicate/run.ts";
const stop = new AbortController(); let n = 0;
await runReplicator({
  replicator: { step: async () => { if (++n === 9) stop.abort(); throw new Error("the centre does not answer"); }, release: async () => {} },
  paused: async () => undefined, audit: async () => {}, logger, pollMs: 1, auditMs: 1000, maxBackoffMs: 1, signal: stop.signal });`),
      cell("replicate"),
      "replicator-failing",
    ],
    [
      "the sink, whose deliveries fail",
      () =>
        run(`${logger}
import { carry } from "./apps/analytics-sink/src/run/carry.ts";
const stop = new AbortController(); let n = 0;
const delivery = { backlog: { oldest: undefined, pages: 0, more: false }, step: async () => { if (++n === 6) stop.abort(); throw new Error("no warehouse"); } };
await carry({ delivery, database: "p/eu", logger, signal: stop.signal, idleMs: 1, alarmAgeMs: 1e9, wait: async () => {} }, { steppedAt: undefined, failures: 0, pause: undefined });`),
      cell("sink"),
      "sink-failing",
    ],
    [
      "the sink, whose events wait too long",
      () =>
        run(`${logger}
import { carry } from "./apps/analytics-sink/src/run/carry.ts";
const stop = new AbortController();
const delivery = { backlog: { oldest: 1, pages: 3, more: true }, step: async () => { stop.abort(); return "idle"; } };
await carry({ delivery, database: "p/eu", logger, signal: stop.signal, idleMs: 1, alarmAgeMs: 1000, wait: async () => {} }, { steppedAt: undefined, failures: 0, pause: undefined });`),
      cell("sink"),
      "outbox-old",
    ],
  ])("%s", async (_, lines, { filter, labels }, alarm) => {
    const entries = (await lines()).map((line) => entryOf(line, "cloud_run_revision", labels));
    const counted = entries.filter((entry) => takes(filter, entry));
    expect(counted.map((entry) => entry.jsonPayload["alarm"])).toContain(alarm);
    // Another cell's line is another cell's alarm.
    const elsewhere = counted.map((e) => ({
      ...e,
      resource: { ...e.resource, labels: { service_name: "consumer-sink" } },
    }));
    expect(elsewhere.filter((entry) => takes(filter, entry))).toEqual([]);
  });

  it("the publisher, that refuses a file, or cannot look", async () => {
    writeFileSync(join(folder, "1.ndjson"), "rubbish");
    const filter = filterOf("central/publisher.tf", "publisher", {});
    const job = ["packages/control-plane/src/market/intake/job.ts"];
    const env = {
      CENTRAL_PROJECT: "p",
      CENTRAL_MARKET_DATABASE: "market",
      FIRESTORE_EMULATOR_HOST: "127.0.0.1:1",
    };
    const lines = [
      ...(await written(job, { ...env, MARKET_FOLDER: folder })),
      ...(await written(job, { ...env, MARKET_FOLDER: join(folder, "missing") })),
    ];
    const entries = lines.map((line) => entryOf(line, "cloud_run_job", { job_name: "market-publisher" }));
    const counted = entries.filter((entry) => takes(filter, entry)).map((e) => e.jsonPayload["alarm"]);
    expect(counted).toEqual(["market-refused", "publisher-failing"]);
    expect(entries.length).toBeGreaterThan(counted.length);
  });

  it("the router, whose directory cannot be read", async () => {
    const filter = filterOf("edge/watching.tf", "router", { "var.residency": "eu" });
    const lines = await written(
      [
        "-e",
        'setTimeout(() => process.kill(process.pid, "SIGTERM"), 3000); import("./apps/router/src/main.ts")',
      ],
      {
        PORT: "0",
        HOST: "127.0.0.1",
        FLEET_ZONE: "proveniq.io",
        EDGE_CONFIG: "http://127.0.0.1:1/ecfg_x?token=t",
        PROVENIQ_ENV: "development",
      },
    );
    const entries = lines.map((line) => entryOf(line, "cloud_run_revision", { service_name: "router-eu" }));
    const counted = entries.filter((entry) => takes(filter, entry)).map((e) => e.jsonPayload["message"]);
    expect(counted).toContain("directory source failed");
    expect(entries.map((e) => e.jsonPayload["message"])).toContain("listening");
    expect(counted).not.toContain("listening");
  });
});

describe("a filter", () => {
  const entry = entryOf('{"severity":"WARNING","message":"m"}', "cloud_run_job", { job_name: "j" });
  it.each([
    ['resource.type="cloud_run_job"', true],
    ['resource.type="cloud_run_job" AND severity>=ERROR', false],
    ['severity>=ERROR OR jsonPayload.message="m"', true],
    ["jsonPayload.alarm:*", false],
    ['resource.labels.job_name="k" AND (severity>=DEBUG OR jsonPayload.message:*)', false],
  ])("%s", (filter, wanted) => expect(takes(filter, entry)).toBe(wanted));

  it("that is not understood is none that takes nothing", () => {
    expect(() => takes("NOT severity>=ERROR", entry)).toThrow(/not understood/);
  });
});
