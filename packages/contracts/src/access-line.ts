import { z } from "zod";
import { problemCodes } from "./problem.ts";
import { traceId } from "./trace.ts";

const some = z.string().min(1);

/**
 * What the log says of one request, at the router and at a cell alike: one line, when its answer has ended. Names are Google Cloud
 * Logging's where it has one. No body, path, query, credential or person is in it. Each side writes it in its own way
 * (docs/adr/2026-12-01-the-routers-own-log-line.md); tests hold both to this.
 */
export const accessLine = z.strictObject({
  severity: z.enum(["DEBUG", "INFO", "WARNING", "ERROR"]),
  time: z.iso.datetime(),
  /** `request failed`: with an `error`. The last one: refused or gone before the app could see it. */
  message: z.enum(["request", "request failed", "request ended outside the app"]),
  requestId: some,
  traceId,
  "logging.googleapis.com/trace": some.optional(),
  "logging.googleapis.com/spanId": some.optional(),
  "logging.googleapis.com/trace_sampled": z.literal(true).optional(),
  /** Empty where what came was no request. */
  method: z.string(),
  /** The router's: as the client named it, printable. */
  host: z.string().optional(),
  /** A cell's: the template of the route, or `none`. */
  route: some.optional(),
  /** The first 12 hex digits of the SHA-256 of the tenant's id. */
  tenant: z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .optional(),
  cell: some.optional(),
  /** The router's: what it was sent to; `router` when to nobody. */
  service: z.enum(["api", "bulk", "router"]).optional(),
  /** Of the decision: by which rule the router chose, or a cell refused. */
  reason: some.optional(),
  /** 499: the client went, and nobody got one. */
  status: z.int().min(100).max(599),
  /** The problem that the process itself answered with. */
  problem: z.enum(problemCodes).optional(),
  /** What went wrong at the other side: the client, or the cell that the router asked. */
  failure: some.optional(),
  /** A cell's: what kind of caller it was. */
  principal: some.optional(),
  /** The router's: how often it was sent to a cell, when more than once; and milliseconds until the cell began to answer. */
  attempts: z.int().min(2).optional(),
  cellMs: z.number().min(0).optional(),
  /** Milliseconds from the request's head to the end of its answer. */
  totalMs: z.number().min(0).optional(),
  /** A cell's: its own fault. */
  error: z.looseObject({ type: z.string() }).optional(),
});

export type AccessLine = z.infer<typeof accessLine>;

/** Status in the log of a request whose client went away before it was answered; nobody ever receives it. */
export const clientGone = 499;

/** Google Cloud Logging's names for the levels. */
export const severities = { debug: "DEBUG", info: "INFO", warn: "WARNING", error: "ERROR" } as const;
