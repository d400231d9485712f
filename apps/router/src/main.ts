import { openFileDirectory } from "@proveniq/tenant-context/directory/file";
import { readConfig } from "./config.ts";
import { Log } from "./node/log.ts";
import { createRouterServer } from "./node/server.ts";
import { UpstreamPools } from "./node/upstream/pool.ts";

const mebibyte = 1024 * 1024;

/** Start the router as a process of its own. */
async function main(): Promise<void> {
  const config = readConfig();
  const log = new Log(config.logLevel);
  const follower = await openFileDirectory({
    file: config.directoryFile,
    log: (level, message, facts) => log.event(level, message, facts),
  });
  const pools = new UpstreamPools();
  const server = createRouterServer({
    directory: follower.directory,
    pools,
    body: { maxBytes: 32 * mebibyte, replayBytes: mebibyte / 16, idleMs: 30_000 },
    onDone: (record) => log.request(record),
  });

  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.event("info", "draining", { signal });
    const cut = await server.drain(config.development ? 100 : 1_000, config.development ? 5_000 : 25_000);
    pools.close();
    follower.close();
    log.event(cut === 0 ? "info" : "warn", "stopped", { cut });
    log.flushSync();
    process.exit(0);
  };
  process.on("SIGTERM", (signal) => void stop(signal));
  process.on("SIGINT", (signal) => void stop(signal));

  const port = await server.listen(config.port, config.host);
  log.event("info", "listening", { host: config.host, port, directoryVersion: follower.directory.version });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
