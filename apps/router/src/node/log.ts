import { type AccessLine, clientGone, severities } from "@proveniq/contracts/access-line";
import { LineWriter, tenantHash } from "@proveniq/http-edge";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";
const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** What happened to one request: what its line says, before the tenant is hashed. `totalMs`: until the answer was written. */
export interface RequestRecord
  extends Required<
    Pick<AccessLine, "requestId" | "traceId" | "method" | "host" | "reason" | "status" | "totalMs">
  > {
  /** The span of this request, when it is recorded, and that of its caller. */
  spanId: string | undefined;
  parentSpanId: string | undefined;
  tenantId: string | undefined;
  cell: string | undefined;
  service: NonNullable<AccessLine["service"]>;
  problem: AccessLine["problem"];
  failure: string | undefined;
  attempts: number;
  cellMs: number | undefined;
}

/** The record of a request of which nothing is known yet. */
export function emptyRecord(method: string): RequestRecord {
  return {
    requestId: "",
    traceId: "",
    spanId: undefined,
    parentSpanId: undefined,
    method,
    host: "",
    tenantId: undefined,
    cell: undefined,
    service: "router",
    reason: "malformed",
    status: clientGone,
    problem: undefined,
    failure: undefined,
    attempts: 0,
    totalMs: 0,
    cellMs: undefined,
  };
}

/** Lines of JSON on standard output, of the same shape as the cells'. */
export class Log {
  readonly #rank: number;
  readonly #writer: LineWriter;
  readonly #traces: string | undefined;
  #millisecond = 0;
  #written = "";

  /** `project`: the Google Cloud project in which traces are looked up; undefined where there is none. */
  constructor(level: LogLevel, project?: string, fd = 1) {
    this.#rank = ranks[level];
    this.#traces = project === undefined ? undefined : `projects/${project}/traces/`;
    this.#writer = new LineWriter(fd);
  }

  event(
    level: "info" | "warn" | "error",
    message: string,
    facts: Record<string, string | number> = {},
  ): void {
    if (ranks[level] < this.#rank) return;
    this.#writer.line(JSON.stringify({ severity: severities[level], time: this.#time(), message, ...facts }));
  }

  /** An `AccessLine`, put together by hand: this is the one line that every request pays for. Only checked or escaped text goes in. */
  request(r: RequestRecord): void {
    if (this.#rank > ranks.info) return;
    let line = `{"severity":"INFO","time":"${this.#time()}","message":"request","requestId":"${r.requestId}","traceId":"${r.traceId}"`;
    if (this.#traces !== undefined) line += `,"logging.googleapis.com/trace":"${this.#traces}${r.traceId}"`;
    if (r.spanId !== undefined)
      line += `,"logging.googleapis.com/spanId":"${r.spanId}","logging.googleapis.com/trace_sampled":true`;
    line += `,"method":"${r.method}","host":${JSON.stringify(r.host)}`;
    if (r.tenantId !== undefined) line += `,"tenant":"${tenantHash(r.tenantId)}"`;
    if (r.cell !== undefined) line += `,"cell":"${r.cell}"`;
    line += `,"service":"${r.service}","reason":"${r.reason}","status":${r.status}`;
    if (r.problem !== undefined) line += `,"problem":"${r.problem}"`;
    if (r.failure !== undefined) line += `,"failure":${JSON.stringify(r.failure)}`;
    if (r.attempts > 1) line += `,"attempts":${r.attempts}`;
    if (r.cellMs !== undefined) line += `,"cellMs":${milliseconds(r.cellMs)}`;
    this.#writer.line(`${line},"totalMs":${milliseconds(r.totalMs)}}`);
  }

  /** Now, as ISO 8601. Many requests end in the same millisecond, and writing it out costs more than all else of a line. */
  #time(): string {
    const now = Date.now();
    if (now !== this.#millisecond) {
      this.#millisecond = now;
      this.#written = new Date(now).toISOString();
    }
    return this.#written;
  }

  flushSync(): void {
    this.#writer.flushSync();
  }
}

function milliseconds(ms: number): number {
  return Math.round(ms * 10) / 10;
}
