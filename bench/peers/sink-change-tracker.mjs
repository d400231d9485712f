// The library behind the Firebase extension firestore-bigquery-export, driven as its trigger drives it: one record() for each
// document that changed, many at a time. node sink-change-tracker.mjs <REST URL> <project> <events> <in flight>
import { createRequire } from "node:module";

const [rest, project, events, inFlight] = process.argv.slice(2);
process.env.BIGQUERY_EMULATOR_HOST = `${rest}/bigquery/v2`;
process.env.GOOGLE_CLOUD_PROJECT = project;
process.env.PROJECT_ID = project;
const { FirestoreBigQueryEventHistoryTracker, ChangeType } = createRequire(import.meta.url)(
  "@firebaseextensions/firestore-bigquery-change-tracker",
);
const tracker = new FirestoreBigQueryEventHistoryTracker({
  datasetId: "extension",
  tableId: "items",
  bqProjectId: project,
  // The table is there already; its view is written in SQL that the stand-in does not read.
  skipInit: true,
  logLevel: "silent",
});
const item = (n) => ({
  title: `Round brilliant ${n}`,
  category: "art",
  ownerId: `owner-${n % 90}`,
  insuredValue: { amountMinor: 32_600, currency: "EUR" },
  version: 1,
});
const record = (n) =>
  tracker.record([
    {
      timestamp: new Date().toISOString(),
      operation: ChangeType.CREATE,
      documentName: `projects/${project}/databases/(default)/documents/tenants/a/items/${n}`,
      documentId: String(n),
      eventId: `event-${process.pid}-${n}`,
      data: item(n),
    },
  ]);

let next = 0;
const drive = async (until) => {
  while (next < until) await record(next++);
};
const run = (until) => Promise.all(Array.from({ length: Number(inFlight) }, () => drive(until)));
const warmUp = 200;
await run(warmUp);
const cpu = process.cpuUsage();
const started = performance.now();
await run(warmUp + Number(events));
const { user, system } = process.cpuUsage(cpu);
process.stdout.write(`${JSON.stringify({ ms: performance.now() - started, cpuUs: user + system })}\n`);
process.exit(0);
