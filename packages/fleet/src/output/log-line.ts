import type { FleetLine } from "@proveniq/local-cloud/fleet";
import type { Palette } from "./colour.ts";

/** Fields of a structured log that say nothing new on a terminal. */
const hidden = new Set(["level", "time", "pid", "hostname", "msg", "name", "service", "cell"]);
const warn = 40;
const error = 50;

/** One line for the terminal: who, and what; a structured log line is made readable. */
export function formatLine(line: FleetLine, width: number, paint: Palette): string {
  const prefix = paint.of(line.source)(line.source.padEnd(width));
  const text = line.kind === "note" ? paint.bold(line.text) : readable(line.text, paint);
  return `${prefix} ${paint.dim("│")} ${text}`;
}

function readable(text: string, paint: Palette): string {
  const record = parse(text);
  if (record === undefined) return text;
  const fields = Object.entries(record)
    .filter(([key]) => !hidden.has(key))
    .map(
      ([key, value]) => paint.dim(`${key}=`) + (typeof value === "string" ? value : JSON.stringify(value)),
    );
  const message = typeof record["msg"] === "string" ? record["msg"] : "";
  const level = typeof record["level"] === "number" ? record["level"] : 0;
  const told = [message, ...fields].filter((part) => part !== "").join(" ");
  if (level >= error) return `${paint.red("error")} ${told}`;
  return level >= warn ? `${paint.yellow("warning")} ${told}` : told;
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
