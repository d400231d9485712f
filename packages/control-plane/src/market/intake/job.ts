import { MarketPublishing } from "@proveniq/db/market/publishing";
import { DatabasePool } from "@proveniq/db/pool";
import { BucketInbox } from "./bucket.ts";
import { readJobConfig } from "./config.ts";
import { FolderInbox } from "./folder.ts";
import { type Taken, takeMarket } from "./take.ts";

/** What somebody must look at: infra/terraform/modules/central/publisher.tf listens for these. */
export type PublisherAlarm = "market-refused" | "publisher-failing";

type Line = (severity: "INFO" | "ERROR", message: string, facts: object) => void;

/** A line of JSON for Cloud Logging. */
const line: Line = (severity, message, facts) =>
  void process.stdout.write(
    `${JSON.stringify({ severity, time: new Date().toISOString(), message, ...facts })}\n`,
  );

/** The lines of the log that an object is worth. */
export function told(taken: Taken): Parameters<Line> {
  const { name, outcome } = taken;
  if (outcome === "refused") {
    const alarm: PublisherAlarm = "market-refused";
    return ["ERROR", "market values were refused", { alarm, name, reasons: taken.reasons.slice(0, 2_000) }];
  }
  if (outcome === "published")
    return ["INFO", "market values were published", { name, ...taken.publication }];
  return [
    "INFO",
    outcome === "known" ? "the same values were published before" : "taken elsewhere, or written anew",
    { name },
  ];
}

/** One run: publishes what waits, and ends. The exit code is 1 when something waits that could not be looked at. */
async function main(): Promise<void> {
  const { emulatorHost, central, place } = readJobConfig();
  const pool = new DatabasePool({
    projectId: central.project,
    allow: [central.marketDatabase],
    ...(emulatorHost === undefined ? {} : { emulatorHost }),
  });
  const inbox =
    "folder" in place ? new FolderInbox(place.folder) : new BucketInbox(place.bucket, place.endpoint);
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
  try {
    const taken = await takeMarket(inbox, new MarketPublishing(() => pool.open(central.marketDatabase)), {
      report: (each) => line(...told(each)),
      signal: stop.signal,
    });
    line("INFO", "the publisher has ended", { objects: taken.length });
  } finally {
    await pool.close();
  }
}

if (import.meta.main)
  main().catch((error: unknown) => {
    const alarm: PublisherAlarm = "publisher-failing";
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    line("ERROR", "the publisher failed", { alarm, error: name, what: message.slice(0, 500) });
    process.exitCode = 1;
  });
