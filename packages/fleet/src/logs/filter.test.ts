import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { gcloudCommand, passes } from "./filter.ts";

const line = (severity: string, time: string) => JSON.stringify({ severity, time, message: "hello" });
const all = { since: undefined, level: undefined, grep: undefined };

describe("which lines of a log are shown", () => {
  const at = "2026-11-27T03:00:00.000Z";
  it.each([
    [line("INFO", at), { ...all, level: "warn" as const }, false],
    [line("WARNING", at), { ...all, level: "warn" as const }, true],
    [line("CRITICAL", at), { ...all, level: "error" as const }, true],
    ['{"level":"warn"}', { ...all, level: "error" as const }, false],
    [line("INFO", at), { ...all, since: Date.parse(at) }, true],
    [line("INFO", at), { ...all, since: Date.parse(at) + 1 }, false],
    [
      "    at Object.<anonymous> (stack)",
      { since: Date.parse(at), level: "error" as const, grep: undefined },
      true,
    ],
    [line("INFO", at), { ...all, grep: "hello" }, true],
    [line("INFO", at), { ...all, grep: "bye" }, false],
  ])("%s by %j: %s", (text, filter, shown) => expect(passes(text, filter)).toBe(shown));
});

describe("the command for the cloud", () => {
  const ask = { level: "warn", grep: `it's "$(id)"`, seconds: 900 } as const;
  it("asks for these services and no others, and survives a shell whatever is looked for", () => {
    const text = gcloudCommand(["eu-api", "eu-bulk", "eu-replicate", "eu-sink"], "proveniq-prod-eu", ask);
    const words = execFileSync("sh", ["-c", text.replace("gcloud", "printf '%s\\n'")], {
      encoding: "utf8",
    }).split("\n");
    expect(words).toEqual([
      "logging",
      "read",
      'resource.type="cloud_run_revision" AND resource.labels.service_name=("eu-api" OR "eu-bulk" OR "eu-replicate" OR "eu-sink") AND severity>=WARNING AND SEARCH("it\'s \\"$(id)\\"")',
      "--project=proveniq-prod-eu",
      "--freshness=900s",
      "--order=asc",
      "--format=json",
      "",
    ]);
  });
});
