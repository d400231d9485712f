// The sink over an outbox that is full: `node ours.ts <emulator> <storage write host> <project> <keys folder> <pages to leave>`.
// Says how long it took and what processor time, from the first page read to the last one gone.
import { randomUUID } from "node:crypto";
import { Delivery, outboxName } from "@proveniq/analytics-sink/delivery";
import { FileKeys } from "@proveniq/analytics-sink/keys";
import { silentLogger } from "@proveniq/analytics-sink/log";
import { StorageWriteWarehouse } from "@proveniq/analytics-sink/storage-write";
import { KnownPeople } from "@proveniq/db/outbox/people";
import { OutboxSink } from "@proveniq/db/outbox/sink";
import { DatabasePool } from "@proveniq/db/pool";

const [emulatorHost = "", localHost = "", projectId = "", keys = ""] = process.argv.slice(2);
const pool = new DatabasePool({ projectId, allow: ["eu"], emulatorHost });
const warehouse = new StorageWriteWarehouse({ project: "central", dataset: "raw_eu", localHost });
const database = `${projectId}/eu`;
const db = await pool.open("eu");
const known = new KnownPeople(db);
const delivery = new Delivery({
  cell: { id: "eu", region: "europe-west1" },
  database,
  outbox: new OutboxSink(db, outboxName(database), randomUUID(), 60_000),
  warehouse,
  keys: new FileKeys(keys),
  ages: { since: known.since.bind(known), minimumDays: 0 },
  logger: silentLogger,
});
// The first delivery loads the clients and makes the streams.
await delivery.step();
const before = delivery.state?.delivered.events ?? 0;
const cpu = process.cpuUsage();
const started = performance.now();
while ((await delivery.step()) === "worked");
const { user, system } = process.cpuUsage(cpu);
const events = (delivery.state?.delivered.events ?? 0) - before;
process.stdout.write(
  `${JSON.stringify({ events, ms: performance.now() - started, cpuUs: user + system })}\n`,
);
process.exit(0);
