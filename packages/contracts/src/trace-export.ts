import { z } from "zod";

/** `name=value,name=value`, values escaped as in a URL. */
const headerList = z
  .string()
  .regex(
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]+=[^,\r\n]*(,[!#$%&'*+.^_`|~0-9A-Za-z-]+=[^,\r\n]*)*$/,
    "must be name=value,…",
  );

/**
 * The environment by which a process learns where its traces go, as OpenTelemetry names it:
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export const traceExportEnvironment = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_HEADERS: headerList.optional(),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.[0-9]{1,9})?|1(\.0{1,9})?)$/, "must be a part of all traces, from 0 to 1")
    .transform(Number)
    .default(0.05),
};

/** Where traces go, and which. */
export interface TraceExport {
  /** A collector that takes OTLP over HTTP, down to `/v1/traces`. */
  url: string;
  /** Credentials among them: never to be logged. */
  headers: Readonly<Record<string, string>>;
  /** Of the traces that begin here, how many are recorded: 0 to 1. */
  ratio: number;
}

/** What that environment says; undefined: nothing is recorded. */
export function traceExportOf(env: {
  OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  OTEL_EXPORTER_OTLP_HEADERS?: string | undefined;
  OTEL_TRACES_SAMPLER_ARG: number;
}): TraceExport | undefined {
  const endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return undefined;
  const pairs = (env.OTEL_EXPORTER_OTLP_HEADERS ?? "").split(",").filter((pair) => pair !== "");
  const headers = pairs.map((pair) => {
    const equals = pair.indexOf("=");
    return [pair.slice(0, equals).toLowerCase(), unescaped(pair.slice(equals + 1))] as const;
  });
  return {
    url: `${endpoint.replace(/\/+$/, "")}/v1/traces`,
    headers: Object.fromEntries(headers),
    ratio: env.OTEL_TRACES_SAMPLER_ARG,
  };
}

function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
