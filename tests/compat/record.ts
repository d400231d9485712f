// `npm run record-release`: starts the artefact of a commit over an empty emulator, lets some tenants live with it, and keeps
// what it stored and answered as the last release. `-- --commit <commit>` names another than the one that is checked out.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type ItemInput, scope } from "@proveniq/contracts";
import { addTenant } from "@proveniq/control-plane";
import { createKey, revokeKey, setTenantSettings } from "@proveniq/control-plane/access";
import { publishMarket } from "@proveniq/control-plane/market";
import { setClaim } from "@proveniq/db/claims";
import { encodePage } from "@proveniq/db/outbox";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import { freePort } from "../setup/ports.ts";
import { type Callers, Desk } from "./callers.ts";
import { Cell } from "./cell.ts";
import { breakOffDelivery, breakOffEnd, breakOffWriting, carried } from "./interrupted.ts";
import { live, type OpenImport, type SealedWrite } from "./life.ts";
import { look } from "./look.ts";
import { marketBook, readValues, replicated } from "./market.ts";
import { Recorded, type RecordedLine } from "./recorded.ts";
import { buildCommit, git, type ReleaseRecord, readRecord, releasesOf } from "./release.ts";
import { cell as cellId, consumers, databases, places, root, type Scene, setScene, until } from "./scene.ts";
import { dump } from "./stored.ts";

const origin = { who: "release", from: "record" };

/** Tenants whose claim is in another state than active, and what the claim says. */
const states = {
  moving: { state: "moving" },
  fenced: { state: "fenced", fence: { token: "t1", deadline: "2199-01-01T00:00:00.000Z" } },
  unfenced: { state: "fenced", fence: { token: "t2", deadline: "2026-01-01T00:00:00.000Z" } },
  moved: { state: "moved", successor: { cellId: "consumer", epoch: 2 } },
  suspended: { state: "suspended" },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { commit: { type: "string", default: "HEAD" } } });
  const commit = await git(root, "rev-parse", "--verify", `${values.commit}^{commit}`);
  const differing = await git(root, "diff", "--name-only", commit, "--", "apps", "packages");
  const untracked = await git(root, "status", "--porcelain", "--", "apps", "packages");
  if (differing !== "" || untracked !== "") {
    throw new Error(
      `apps/ and packages/ are not as in ${commit}. Tenants and keys are made by what is checked out: check out what is released.\n${differing}${untracked}`,
    );
  }
  say(`building ${commit}`);
  const release = { ...(await buildCommit(root, commit)), name: "the release" };
  const emulator = await startEmulator({ port: await freePort(), heapMb: 512 });
  const scene = await setScene(emulator.host);
  const cell = new Cell(release, scene);
  try {
    const recorded = await play(scene, cell);
    const before = await readRecord(root).catch(() => undefined);
    const name = commit.slice(0, 12);
    const record: ReleaseRecord = {
      commit,
      artefactDigest: release.digest,
      recordedAt: new Date().toISOString(),
      documents: `${name}.documents.ndjson`,
      answers: `${name}.answers.ndjson`,
    };
    for (const old of before === undefined ? [] : [before.documents, before.answers]) {
      await rm(join(releasesOf(root), old), { force: true });
    }
    await recorded.write(root, record);
    await writeFile(join(releasesOf(root), "last.json"), `${JSON.stringify(record, undefined, 2)}\n`);
    say(`infra/releases/last.json: ${release.digest}, ${recorded.documents.length} documents. Commit it.`);
  } finally {
    await cell.close();
    await scene.close();
    await emulator.stop();
  }
}

/** The hour. */
async function play(scene: Scene, cell: Cell): Promise<Recorded> {
  const door = { api: () => cell.url("api"), bulk: () => cell.url("bulk") };
  const callers = await populate(scene);
  await publishMarket(scene.centre, marketBook(1));
  await publishMarket(scene.centre, marketBook(2));
  await cell.start(["api", "bulk", "replicate"]);
  await replicated(scene, cell);
  await cell.end("replicate");
  // This one the next version brings.
  await publishMarket(scene.centre, marketBook(3));

  const desk = await Desk.open(scene, door, callers);
  const writes: SealedWrite[] = [];
  const open: OpenImport[] = [];
  const hour = async (tag: string) => {
    const left = await live(desk, tag);
    writes.push(...left.sealed);
    open.push(...left.open);
  };
  for (const name of Object.keys(states)) await item(desk, name, { title: "Before", category: "other" });
  await scene.warehouse.start();
  await unreadablePage(scene);
  await cell.start(["sink"]);
  await carried(scene, cell);
  say("events are carried away; now an hour of life");
  await breakOffDelivery(scene, cell, () => hour("one"));
  await item(desk, "harbour", { title: "Not planned yet", category: "wine" });
  say("killing its processes in the middle of imports");
  open.push(await breakOffWriting(scene, cell, desk, "one"));
  open.push(await breakOffEnd(scene, cell, desk, "one"));

  const db = await scene.pool.open(databases.books);
  for (const [name, state] of Object.entries(states)) {
    await setClaim(db, name, (present) => ({ ...present, ...state }));
  }
  // It believes what it knew of a claim for some seconds.
  await cell.end("api");
  await cell.start(["api"]);
  const seen = await look(desk);
  const values = await readValues(desk);
  await cell.close();
  const documents = (await Promise.all(places.map((place) => dump(scene.emulator, place)))).flat();
  return new Recorded(documents, [
    ...Object.entries(callers).map(([name, caller]): RecordedLine => ({ kind: "caller", name, caller })),
    ...Object.entries(seen).map(([name, sight]): RecordedLine => ({ kind: "sight", name, sight })),
    ...writes.map((write): RecordedLine => ({ kind: "write", write })),
    ...open.map((one): RecordedLine => ({ kind: "open", import: one })),
    ...values.map((value): RecordedLine => ({ kind: "value", value })),
  ]);
}

/** Tenants, their settings, and who calls for them. */
async function populate(scene: Scene): Promise<Callers> {
  const { connections, fleet } = scene;
  const add = (tenantId: string, databaseId: string, claimCopies = 1) =>
    addTenant(connections, fleet, { tenantId, name: tenantId, cellId, databaseId, claimCopies }, origin);
  const key = async (tenantId: string, scopes = scope.options, expiresAt: Date | null = null) =>
    (await createKey(connections, "dev", { tenantId, label: "Ihr Schlüssel", scopes, expiresAt }, origin))
      .key;
  // The emulator's first answer may take longer than anybody else waits for one.
  await until("the first tenant", async () => add(consumers, databases.books), { withinMs: 60_000 });
  await add("harbour-mutual", databases.books, 3);
  await add("lindqvist", databases.carriers);
  for (const name of Object.keys(states)) await add(name, databases.books);
  const settings = { origins: ["https://portal.harbour.example"], requestsPerSecond: 4_000 };
  await setTenantSettings(connections, fleet, "harbour-mutual", settings, origin);
  const revoked = await key("harbour-mutual");
  await revokeKey(connections, "harbour-mutual", revoked.split("_")[3] ?? "", origin);
  const tenant = "harbour-mutual";
  const callers: Callers = {
    harbour: { tenant, key: await key(tenant) },
    reader: { tenant, key: await key(tenant, ["items:read"], new Date("2199-01-01T00:00:00.000Z")) },
    revoked: { tenant, key: revoked },
    staff: { tenant, person: { subject: "sven", staff: true } },
    bo: { tenant, person: { subject: "bo", staff: false } },
    alma: { tenant: consumers, person: { subject: "alma", staff: false } },
    lindqvist: { tenant: "lindqvist", key: await key("lindqvist") },
  };
  for (const name of Object.keys(states)) callers[name] = { tenant: name, key: await key(name) };
  return callers;
}

/** A page that the sink cannot read and sets aside, as one that was damaged. */
async function unreadablePage(scene: Scene): Promise<void> {
  const db = await scene.pool.open(databases.carriers);
  const page = { writeId: "w".repeat(20), tenantId: "lindqvist", epoch: 1, events: [] };
  await db.doc("outbox/damaged").set({ ...encodePage(page, new Date()), events: 1 });
}

async function item(desk: Desk, name: string, input: ItemInput): Promise<void> {
  const headers = { "content-type": "application/json" };
  await desk.must(name, { method: "POST", path: "/v1/items", headers, body: JSON.stringify(input) }, 201);
}

function say(text: string): void {
  console.log(`${(performance.now() / 1000).toFixed(1).padStart(6)} s  ${text}`);
}

await main();
