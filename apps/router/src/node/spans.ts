import type { TraceExport } from "@proveniq/contracts";
import type { RequestRecord } from "./log.ts";

export interface SpansOptions extends TraceExport {
  /** Google Cloud project that the spans belong to. */
  project: string | undefined;
  /** Hears when spans are not taken: at the first failure, then more and more seldom. */
  onTrouble: (facts: { failures: number; dropped: number; why: string }) => void;
  /** How often what has gathered is sent, and how long the collector may take, in milliseconds. */
  everyMs?: number;
  timeoutMs?: number;
}

const maxWaiting = 2_048;
const maxAtOnce = 512;
/** SERVER and ERROR, as OTLP numbers them: https://github.com/open-telemetry/opentelemetry-proto */
const serverKind = 2;
const errorStatus = 2;

/**
 * Spans of sampled requests on their way to a collector, as OTLP over HTTP in JSON. Nothing of a request ever waits for
 * it: there is one sending at a time, and what gathers behind one that does not end is dropped.
 */
export class Spans {
  readonly #options: Required<SpansOptions>;
  #waiting: object[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #failures = 0;
  #dropped = 0;

  constructor(options: SpansOptions) {
    this.#options = { everyMs: 1_000, timeoutMs: 5_000, ...options };
  }

  /** One request has ended just now. Health checks are not worth a span. */
  record(r: RequestRecord): void {
    if (r.spanId === undefined || r.reason === "health") return;
    if (this.#waiting.length >= maxWaiting) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(spanOf(r, Date.now()));
    this.#schedule();
  }

  /** Send what is left, for a second at most. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const late = AbortSignal.timeout(1_000);
    const over = new Promise<void>((resolve) => late.addEventListener("abort", () => resolve()));
    const all = async () => {
      await this.#sending;
      while (this.#waiting.length > 0 && !late.aborted) await this.#send();
    };
    await Promise.race([all(), over]);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#sending !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#send().finally(() => {
        this.#sending = undefined;
        if (this.#waiting.length > 0) this.#schedule();
      });
    }, this.#options.everyMs);
    this.#timer.unref();
  }

  async #send(): Promise<void> {
    const { url, headers, project, timeoutMs } = this.#options;
    const spans = this.#waiting.splice(0, maxAtOnce);
    const attributes = [text("service.name", "router")];
    if (project !== undefined) attributes.push(text("gcp.project_id", project));
    const scopeSpans = [{ scope: { name: "proveniq-router" }, spans }];
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans }] }),
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      await answer.body?.cancel();
      if (!answer.ok) this.#failed(spans.length, `status ${answer.status}`);
      else this.#failures = 0;
    } catch (error) {
      this.#failed(spans.length, reasonOf(error));
    }
  }

  #failed(spans: number, why: string): void {
    this.#dropped += spans;
    this.#failures += 1;
    if (!Number.isInteger(Math.log2(this.#failures))) return;
    this.#options.onTrouble({ failures: this.#failures, dropped: this.#dropped, why });
    this.#dropped = 0;
  }
}

/** Never an error's message: it may hold the URL, and a URL may hold a secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { cause } = error;
  return cause instanceof Error && "code" in cause ? String(cause.code) : error.name;
}

const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
const number = (key: string, value: number) => ({ key, value: { intValue: String(value) } });

/** `endedAt` in milliseconds since 1970. */
function spanOf(r: RequestRecord, endedAt: number): object {
  const attributes = [
    text("http.request.method", r.method),
    number("http.response.status_code", r.status),
    text("proveniq.request_id", r.requestId),
    text("proveniq.reason", r.reason),
    ...(r.cell === undefined ? [] : [text("proveniq.cell", r.cell), number("proveniq.attempts", r.attempts)]),
    ...(r.problem === undefined ? [] : [text("proveniq.problem", r.problem)]),
  ];
  return {
    traceId: r.traceId,
    spanId: r.spanId,
    ...(r.parentSpanId === undefined ? {} : { parentSpanId: r.parentSpanId }),
    name: r.cell === undefined ? r.method : `${r.method} ${r.cell}-${r.service}`,
    kind: serverKind,
    startTimeUnixNano: nanoseconds(endedAt - r.totalMs),
    endTimeUnixNano: nanoseconds(endedAt),
    attributes,
    status: r.status >= 500 ? { code: errorStatus } : {},
  };
}

function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1_000)}000`;
}
