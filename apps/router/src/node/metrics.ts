import { createServer, type Server } from "node:http";
import type { RequestRecord } from "./log.ts";

/** Upper bounds of the histograms, in seconds. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

class Histogram {
  readonly counts = new Float64Array(bounds.length + 1);
  sum = 0;
  total = 0;

  observe(seconds: number): void {
    let at = 0;
    while (at < bounds.length && seconds > (bounds[at] ?? 0)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += seconds;
    this.total += 1;
  }
}

interface Series {
  labels: string;
  duration: Histogram;
  cell: Histogram;
  statuses: Map<number, number>;
  retries: number;
}

/** What is measured besides requests: name, help, and values by label. */
export type Gauge = [
  name: string,
  help: string,
  values: () => Iterable<readonly [labels: string, value: number]>,
];

/**
 * Counts and durations of requests by cell, service and reason, in the text format that Prometheus reads. Labels come
 * from closed lists, so that no caller can add series.
 */
export class Metrics {
  readonly #series = new Map<string, Series>();
  readonly #gauges: readonly Gauge[];

  constructor(gauges: readonly Gauge[] = []) {
    this.#gauges = gauges;
  }

  observe(r: RequestRecord): void {
    const key = `${r.cell ?? ""} ${r.service} ${r.reason}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      const labels = `cell="${r.cell ?? ""}",service="${r.service}",reason="${r.reason}"`;
      series = { labels, duration: new Histogram(), cell: new Histogram(), statuses: new Map(), retries: 0 };
      this.#series.set(key, series);
    }
    series.duration.observe(r.totalMs / 1_000);
    if (r.cellMs !== undefined) series.cell.observe(r.cellMs / 1_000);
    series.statuses.set(r.status, (series.statuses.get(r.status) ?? 0) + 1);
    if (r.attempts > 1) series.retries += r.attempts - 1;
  }

  render(): string {
    const lines: string[] = [];
    const family = (name: string, type: string, help: string) =>
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    const all = [...this.#series.values()];

    family("router_requests_total", "counter", "Requests by cell, service, reason and status.");
    for (const s of all)
      for (const [status, n] of s.statuses)
        lines.push(`router_requests_total{${s.labels},status="${status}"} ${n}`);
    family("router_retries_total", "counter", "Requests that were sent to a cell once more.");
    for (const s of all) lines.push(`router_retries_total{${s.labels}} ${s.retries}`);
    family("router_request_seconds", "histogram", "From a request's head to the end of its answer.");
    for (const s of all) lines.push(...histogram("router_request_seconds", s.labels, s.duration));
    family(
      "router_cell_seconds",
      "histogram",
      "From a request's head to the first byte of the cell's answer.",
    );
    for (const s of all) lines.push(...histogram("router_cell_seconds", s.labels, s.cell));
    for (const [name, help, values] of this.#gauges) {
      family(name, "gauge", help);
      for (const [labels, value] of values())
        lines.push(`${name}${labels === "" ? "" : `{${labels}}`} ${value}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

function histogram(name: string, labels: string, h: Histogram): string[] {
  let sum = 0;
  const buckets = bounds.map((bound, n) => {
    sum += h.counts[n] ?? 0;
    return `${name}_bucket{${labels},le="${bound}"} ${sum}`;
  });
  return [
    ...buckets,
    `${name}_bucket{${labels},le="+Inf"} ${h.total}`,
    `${name}_sum{${labels}} ${h.sum}`,
    `${name}_count{${labels}} ${h.total}`,
  ];
}

/** The directory that a router uses: `digest` is the SHA-256 of the text that it read; null where that is not one text. */
export interface UsedDirectory {
  version: number;
  digest: string | null;
}

/** Serve GET /metrics and GET /directory on a port of its own, which no load balancer points to. */
export async function serveMetrics(
  metrics: Metrics,
  used: () => UsedDirectory,
  port: number,
  host: string,
): Promise<Server> {
  const server = createServer((req, res) => {
    if (req.url === "/directory") {
      res.writeHead(200, { "content-type": "application/json" });
      res.end(JSON.stringify(used()));
      return;
    }
    if (req.url !== "/metrics") {
      res.writeHead(404, { "content-type": "text/plain" });
      res.end("See /metrics and /directory\n");
      return;
    }
    res.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    res.end(metrics.render());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return server;
}
