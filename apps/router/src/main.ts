import { descriptorLimit } from "@proveniq/http-edge";
import { readConfig } from "./config.ts";
import { Log } from "./node/log.ts";
import { type Gauge, Metrics, serveMetrics } from "./node/metrics.ts";
import { openDirectory } from "./node/open-directory.ts";
import { Proofs } from "./node/proofs.ts";
import { createRouterServer } from "./node/server.ts";
import { UpstreamPools } from "./node/upstream/pool.ts";

/** Start the router as a process of its own. */
async function main(): Promise<void> {
  const config = readConfig(undefined, descriptorLimit());
  const { limits } = config;
  const log = new Log(config.logLevel, config.project);
  const open = await openDirectory(config.directory, config.origins, (level, message, facts) =>
    log.event(level, message, facts),
  );
  const onFault = (error: unknown, requestId = "") => {
    const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
    log.event("error", "a fault of the router's own", { requestId, error: name, what: message, stack });
  };
  const pools = new UpstreamPools(limits.upstream, onFault);
  const gauges: Gauge[] = [
    ["router_directory_version", "Version of the directory that is believed.", () => [["", version()]]],
    ["router_resident_bytes", "Resident memory.", () => [["", process.memoryUsage.rss()]]],
    [
      "router_cell_connections",
      "Open connections to cells.",
      () => [...pools.counts()].map(([origin, { open }]) => [`origin="${origin}"`, open] as const),
    ],
  ];
  gauges.push(["router_client_connections", "Open connections of clients.", () => [["", server.clients()]]]);
  const metrics = new Metrics(gauges);
  const version = () => open.directory.hostTable()?.version ?? 0;
  const { project, traces } = config;
  // OpenTelemetry costs a start 30 ms and 5 MB: it is loaded only where there is a collector.
  const spans =
    traces === undefined
      ? undefined
      : (await import("./node/spans.ts")).openSpans({
          ...traces,
          project,
          onTrouble: (facts) => log.event("warn", "the collector does not take traces", { ...facts }),
        });
  const server = createRouterServer(
    {
      directory: open.directory,
      pools,
      body: limits.body,
      onFault,
      onShortage: (facts) => log.event("warn", "short of connections for clients", { ...facts }),
      proofs: new Proofs(config.proofSecrets),
      traceRatio: traces?.ratio,
      onDone: (record) => {
        metrics.observe(record);
        log.request(record);
        spans?.record(record);
      },
    },
    limits.server,
  );
  const metricsServer =
    config.metricsPort === undefined
      ? undefined
      : await serveMetrics(
          metrics,
          () => ({ version: version(), digest: open.digest() ?? null }),
          config.metricsPort,
          config.host,
        );

  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.event("info", "draining", { signal });
    // Cloud Run kills ten seconds after it has asked.
    const cut = await server.drain(config.development ? 100 : 2_000, config.development ? 5_000 : 9_000);
    metricsServer?.close();
    pools.close();
    await Promise.all([open.close(), spans?.close()]);
    log.event(cut === 0 ? "info" : "warn", "stopped", { cut });
    log.flushSync();
    process.exit(0);
  };
  process.on("SIGTERM", (signal) => void stop(signal));
  process.on("SIGINT", (signal) => void stop(signal));

  const port = await server.listen(config.port, config.host);
  if (config.proofSecrets.length === 0 && !config.development)
    log.event("warn", "no PROOF_SECRETS: cells of production take this router for a stranger", {});
  log.event("info", "listening", { host: config.host, port, directoryVersion: version() });
  const {
    server: { maxClients },
    upstream: { maxTotal = 0 },
  } = limits;
  if (maxClients + maxTotal < 1_024)
    log.event("warn", "few descriptors: raise the limit of open files", {
      forClients: maxClients,
      forCells: maxTotal,
    });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
