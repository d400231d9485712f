import { randomUUID } from "node:crypto";
import { DuckDBDateValue, type DuckDBValue } from "@duckdb/node-api";
import { z } from "zod";
import { invalid, notFound, unsupportedSql } from "../faults.ts";
import type { QueryAnswer, Store } from "../store/index.ts";
import { checked } from "./http.ts";
import { loadRows, loadSettings } from "./load.ts";
import { restRows, restSchema } from "./values.ts";

const parameter = z.object({
  name: z.string(),
  parameterType: z.object({ type: z.enum(["STRING", "INT64", "FLOAT64", "BOOL", "DATE"]) }),
  parameterValue: z.object({
    value: z
      .union([z.string(), z.number(), z.boolean()])
      .nullable()
      .transform((v) => (v === null ? null : String(v))),
  }),
});
const querySettings = z.object({
  query: z.string(),
  useLegacySql: z.boolean().default(true),
  dryRun: z.boolean().optional(),
  queryParameters: z.array(parameter).default([]),
  defaultDataset: z.object({ datasetId: z.string() }).optional(),
  maxResults: z.number().int().positive().optional(),
  formatOptions: z.object({ useInt64Timestamp: z.boolean().optional() }).optional(),
  destinationTable: z.never({ error: "results are not kept in tables by the local warehouse" }).optional(),
});
const job = z.object({
  jobReference: z.object({ jobId: z.string().optional(), location: z.string().optional() }).optional(),
  configuration: z.object({
    query: querySettings.optional(),
    load: loadSettings.optional(),
    dryRun: z.boolean().optional(),
  }),
});

interface DoneJob {
  id: string;
  location: string;
  configuration: object;
  startedMs: number;
  endedMs: number;
  answer?: QueryAnswer;
  outputRows?: number;
}

const keptJobs = 200;
const pageRows = 10_000;

/** Jobs: each is done before it is answered, and its result is kept for a while to be paged through. */
export class Jobs {
  readonly #store: Store;
  readonly #jobs = new Map<string, DoneJob>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** `jobs.query`. */
  async query(project: string, body: unknown): Promise<object> {
    const settings = checked(querySettings, body);
    const done = await this.#run(project, settings, undefined);
    return {
      ...this.results(project, done.id, new URLSearchParams(pageQuery(settings))),
      kind: "bigquery#queryResponse",
    };
  }

  /** `jobs.insert`, with the file of a load job. */
  async insert(project: string, body: unknown, file?: Buffer): Promise<object> {
    const { configuration, jobReference } = checked(job, body);
    const id = jobReference?.jobId;
    if (id !== undefined && this.#jobs.has(id)) return this.get(project, id);
    if (configuration.query !== undefined) {
      const settings = { ...configuration.query, dryRun: configuration.dryRun };
      return this.get(project, (await this.#run(project, settings, id)).id);
    }
    if (configuration.load === undefined || file === undefined) {
      throw invalid("The local warehouse runs query jobs, and load jobs that bring their file");
    }
    const startedMs = Date.now();
    const outputRows = await loadRows(this.#store, project, configuration.load, file);
    const location = this.#store.catalog.dataset(
      project,
      configuration.load.destinationTable.datasetId,
    ).location;
    return this.get(
      project,
      this.#keep({ id: id ?? newId(), location, configuration, startedMs, outputRows }).id,
    );
  }

  /** `jobs.get`. */
  get(project: string, id: string): object {
    const done = this.#job(project, id);
    const { location, configuration, startedMs, endedMs, outputRows } = done;
    return {
      kind: "bigquery#job",
      id: `${project}:${location}.${id}`,
      jobReference: { projectId: project, jobId: id, location },
      configuration,
      status: { state: "DONE" },
      statistics: {
        creationTime: String(startedMs),
        startTime: String(startedMs),
        endTime: String(endedMs),
        ...(outputRows === undefined ? {} : { load: { outputRows: String(outputRows) } }),
      },
    };
  }

  /** `jobs.getQueryResults`: one page. */
  results(project: string, id: string, query: URLSearchParams): object {
    const { answer, location } = this.#job(project, id);
    if (answer === undefined) throw invalid(`Job ${id} is not a query`);
    const from = Number(query.get("pageToken") ?? query.get("startIndex") ?? 0);
    const count = Math.min(Number(query.get("maxResults") ?? pageRows), pageRows);
    const page = answer.rows.slice(from, from + count);
    const next = from + page.length;
    return {
      kind: "bigquery#getQueryResultsResponse",
      jobReference: { projectId: project, jobId: id, location },
      jobComplete: true,
      schema: restSchema(answer.columns),
      totalRows: String(answer.rows.length),
      rows: restRows(answer.columns, page, query.get("formatOptions.useInt64Timestamp") === "true"),
      ...(next < answer.rows.length ? { pageToken: String(next) } : {}),
    };
  }

  async #run(
    project: string,
    settings: z.infer<typeof querySettings>,
    id: string | undefined,
  ): Promise<DoneJob> {
    if (settings.useLegacySql) throw unsupportedSql("legacy SQL is not read; set useLegacySql to false");
    const startedMs = Date.now();
    const defaultDataset = settings.defaultDataset?.datasetId;
    const answer =
      settings.dryRun === true
        ? {
            columns: [],
            rows: [],
            location: this.#store.prepare(project, settings.query, defaultDataset).location,
          }
        : await this.#store.query(
            project,
            settings.query,
            parameters(settings.queryParameters),
            defaultDataset,
          );
    const configuration = { jobType: "QUERY", query: { query: settings.query, useLegacySql: false } };
    return this.#keep({ id: id ?? newId(), location: answer.location, configuration, startedMs, answer });
  }

  #keep(done: Omit<DoneJob, "endedMs">): DoneJob {
    const kept = { ...done, endedMs: Date.now() };
    this.#jobs.set(kept.id, kept);
    for (const id of this.#jobs.keys()) {
      if (this.#jobs.size <= keptJobs) break;
      this.#jobs.delete(id);
    }
    return kept;
  }

  #job(project: string, id: string): DoneJob {
    const found = this.#jobs.get(id);
    if (found === undefined) throw notFound(`Job ${project}:${id}`);
    return found;
  }
}

const newId = (): string => `job_${randomUUID().replaceAll("-", "")}`;

const pageQuery = ({ maxResults, formatOptions }: z.infer<typeof querySettings>): Record<string, string> => ({
  ...(maxResults === undefined ? {} : { maxResults: String(maxResults) }),
  "formatOptions.useInt64Timestamp": String(formatOptions?.useInt64Timestamp ?? false),
});

function parameters(list: z.infer<typeof parameter>[]): Record<string, DuckDBValue> {
  return Object.fromEntries(
    list.map(({ name, parameterType: { type }, parameterValue: { value } }) => [
      name,
      parameterValue(type, value),
    ]),
  );
}

function parameterValue(type: string, value: string | null): DuckDBValue {
  if (value === null || type === "STRING") return value;
  if (type === "INT64") return BigInt(value);
  if (type === "BOOL") return value === "true";
  if (type === "FLOAT64") return Number(value);
  const at = Date.parse(`${value}T00:00:00Z`);
  if (Number.isNaN(at)) throw invalid(`Invalid DATE parameter: ${value}`);
  return new DuckDBDateValue(at / 86_400_000);
}
