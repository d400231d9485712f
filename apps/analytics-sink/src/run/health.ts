import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Sink, SinkStatus } from "./sink.ts";

/** A step that takes this long means that something hangs, in milliseconds. */
const silentForMs = 120_000;

/** Why an outbox is not being carried; undefined when it is. */
function trouble(status: SinkStatus, now: number): string | undefined {
  const state = status.delivery?.state;
  if (state !== undefined && state.halted !== null) return `stopped: ${state.halted.reason}`;
  if (status.failures >= 5) return `${status.failures} failures in a row`;
  if (status.steppedAt === undefined) return status.failures > 0 ? "not reached yet" : undefined;
  return now - status.steppedAt > silentForMs ? "no step for two minutes" : undefined;
}

/** The state of every outbox, as `/ready` answers it. */
export function readiness(sink: Sink, now = Date.now()) {
  const outboxes = sink.statuses.map((status) => {
    const backlog = status.delivery?.backlog;
    const waits = backlog?.oldest === undefined ? 0 : Math.max(0, Math.round((now - backlog.oldest) / 1000));
    const wrong = status.pause === undefined ? trouble(status, now) : `paused: ${status.pause.reason}`;
    return {
      database: status.database,
      state: wrong === undefined ? "ready" : status.pause === undefined ? "degraded" : "paused",
      ...(wrong === undefined ? {} : { reason: wrong }),
      waitingPages: backlog?.pages ?? 0,
      moreWaiting: backlog?.more ?? false,
      oldestSeconds: waits,
      delivered: status.delivery?.state?.delivered.events ?? 0,
      setAside: status.delivery?.state?.setAside ?? 0,
    };
  });
  // A pause is wanted: nobody should start the process anew because of it.
  return { state: outboxes.some((o) => o.state === "degraded") ? "degraded" : "ready", outboxes };
}

/** The same as metrics in Prometheus' text form. */
export function metrics(sink: Sink): string {
  const { outboxes } = readiness(sink);
  const gauges = [
    ["outbox_pages", "Pages seen waiting", "gauge", (o) => o.waitingPages],
    ["outbox_oldest_seconds", "Age of the oldest page seen", "gauge", (o) => o.oldestSeconds],
    ["outbox_set_aside_total", "Pages that could not be read", "counter", (o) => o.setAside],
    ["events_delivered_total", "Events delivered to the warehouse", "counter", (o) => o.delivered],
    ["outbox_ready", "1 while the outbox is being carried", "gauge", (o) => (o.state === "ready" ? 1 : 0)],
  ] as const satisfies readonly (readonly [
    string,
    string,
    string,
    (o: (typeof outboxes)[number]) => number,
  ])[];
  return gauges
    .map(([name, help, type, value]) => {
      const full = `proveniq_sink_${name}`;
      const lines = outboxes.map((o) => `${full}{database="${o.database}"} ${value(o)}`);
      return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join("\n")}\n`;
    })
    .join("");
}

/** `/health`, `/ready` and `/metrics` of a sink. Resolves with its port and how to stop. */
export async function serveHealth(
  sink: Sink,
  host: string,
  port: number,
): Promise<{ port: number; stop(): void }> {
  const server = createServer((request, response) => {
    const json = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.url === "/health") json(200, { state: "alive" });
    else if (request.url === "/ready") {
      const ready = readiness(sink);
      json(ready.state === "ready" ? 200 : 503, ready);
    } else if (request.url === "/metrics") {
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(metrics(sink));
    } else json(404, { state: "unknown" });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
