import type { FleetLine } from "@proveniq/local-cloud/fleet";
import type { Palette } from "./colour.ts";

/** Fields of a structured log that say nothing new on a terminal; the log files have them. */
const hidden = new Set(
  (
    "level severity time pid hostname msg message name cell requestId traceId logging.googleapis.com/trace logging.googleapis.com/spanId logging.googleapis.com/trace_sampled artefactDigest commit " +
    "method route host status ms totalMs"
  ).split(" "),
);
const levels: Record<string, "warning" | "error"> = {
  warn: "warning",
  WARNING: "warning",
  "40": "warning",
  error: "error",
  fatal: "error",
  ERROR: "error",
  CRITICAL: "error",
  "50": "error",
  "60": "error",
};

/** What is longer, such as a line of a minified file in a stack, would bury all else; the log files have it whole. */
const longest = 2_000;

/**
 * One line for the terminal: who, and what; a structured log line is made readable. `undefined` for a health check, which
 * says nothing to people and comes all the time.
 */
export function formatLine(line: FleetLine, width: number, paint: Palette): string | undefined {
  const text = line.kind === "note" ? paint.bold(line.text) : readable(line.text, paint);
  if (text === undefined) return undefined;
  const shown =
    text.length <= longest ? text : `${text.slice(0, longest)} … (the whole line is in the log file)`;
  return `${paint.of(line.source)(line.source.padEnd(width))} ${paint.dim("│")} ${shown}`;
}

function readable(text: string, paint: Palette): string | undefined {
  const record = parse(text);
  if (record === undefined) return text;
  if (isHealthCheck(record)) return undefined;
  const fields = Object.entries(record)
    .filter(([key]) => !hidden.has(key))
    .map(([key, value]) => paint.dim(`${key}=`) + show(value));
  const told = [message(record), ...fields].filter((part) => part !== "").join(" ");
  const level = levels[show(record["severity"] ?? record["level"])];
  if (level === undefined) return told;
  return `${level === "error" ? paint.red(level) : paint.yellow(level)} ${told}`;
}

/** `POST /v1/items 201 12 ms` for a request; else the message and what `host` and the like mean in it. */
function message(record: Record<string, unknown>): string {
  const text = record["msg"] ?? record["message"] ?? "";
  const { method, route, host, status, ms, totalMs } = record;
  if (text !== "request") {
    const rest = Object.entries({ method, route, host, status }).flatMap(([key, value]) =>
      value === undefined ? [] : `${key}=${show(value)}`,
    );
    return [show(text), ...rest].join(" ");
  }
  return [method, route ?? host, status, totalMs ?? ms, "ms"].map((part) => show(part ?? "")).join(" ");
}

function isHealthCheck(record: Record<string, unknown>): boolean {
  return record["route"] === "/ready" || record["route"] === "/health" || record["reason"] === "health";
}

function show(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function parse(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
