import { expect, test } from "vitest";
import { z } from "zod";
import { traceExportEnvironment, traceExportOf } from "./trace-export.ts";

const environment = z.object(traceExportEnvironment);
const read = (env: Record<string, string>) => traceExportOf(environment.parse(env));
const endpoint = "https://collector.example";

test("without an endpoint nothing is sent, whatever else is set", () => {
  expect(read({ OTEL_TRACES_SAMPLER_ARG: "1", OTEL_EXPORTER_OTLP_HEADERS: "a=b" })).toBeUndefined();
});

test.each([
  [{}, { url: `${endpoint}/v1/traces`, headers: {}, ratio: 0.05 }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: `${endpoint}/otlp//` }, { url: `${endpoint}/otlp/v1/traces` }],
  [{ OTEL_TRACES_SAMPLER_ARG: "0" }, { ratio: 0 }],
  [{ OTEL_TRACES_SAMPLER_ARG: "1.0" }, { ratio: 1 }],
  [
    { OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer%20a%3Db,x-team=cells" },
    { headers: { authorization: "Bearer a=b", "x-team": "cells" } },
  ],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "a=100%" }, { headers: { a: "100%" } }],
])("reads %j", (env, wanted) => {
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env })).toMatchObject(wanted);
});

test.each([
  { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" },
  { OTEL_EXPORTER_OTLP_ENDPOINT: "file:///etc/passwd" },
  { OTEL_EXPORTER_OTLP_HEADERS: "no-value" },
  { OTEL_EXPORTER_OTLP_HEADERS: "a=b\r\nx: y" },
  { OTEL_TRACES_SAMPLER_ARG: "1.5" },
  { OTEL_TRACES_SAMPLER_ARG: "-1" },
  { OTEL_TRACES_SAMPLER_ARG: "all" },
])("refuses %j", (env) => {
  expect(environment.safeParse(env).success).toBe(false);
});
