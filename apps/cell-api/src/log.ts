import { severities } from "@proveniq/contracts/access-line";
import pino from "pino";
import { scopeFields } from "./telemetry/scope.ts";

/** The part of pino that the app uses. Fields never hold bodies, credentials or personal data. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const names: Readonly<Record<string, string>> = { ...severities, trace: "DEBUG", fatal: "CRITICAL" };

/**
 * JSON lines on standard output, written at once so that nothing is lost when the process ends. Each names the request and
 * the trace that it was written for. `project`: where traces are looked up.
 */
export function createLogger(options: { level: string; cell: string; project: string }): Logger {
  return pino(
    {
      level: options.level,
      base: { cell: options.cell },
      mixin: () => scopeFields(options.project),
      messageKey: "message",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ severity: names[label] ?? "DEFAULT" }) },
    },
    pino.destination({ fd: 1, sync: true }),
  );
}

/** Says nothing. */
export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A fault for a log line: clients are told nothing of it. */
export function describeError(error: unknown): object | undefined {
  if (!(error instanceof Error)) return undefined;
  return { type: error.name, message: error.message.slice(0, 500), stack: error.stack?.slice(0, 4000) };
}
