import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { CollectionReference, QueryDocumentSnapshot } from "@google-cloud/firestore";
import type { ArtefactRef } from "@proveniq/contracts";
import type { Connections, Fleet } from "@proveniq/control-plane";
import { databasesOf, loadFleet, openConnections } from "@proveniq/control-plane";
import { DatabasePool } from "@proveniq/db/pool";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { commands, program, withChildren } from "./program.ts";

// Production is an emulator here, under projects that no other test has; what no emulator can be says what it was told.
const told: string[] = vi.hoisted(() => []);
vi.mock(import("../../control-plane/src/connections.ts"), async (original) => {
  const actual = await original();
  const open = (fleet: Fleet) => actual.openConnections(ownNames(fleet), () => inject("firestoreHost"));
  return { ...actual, findCredentials: async () => undefined, openConnections: open };
});
vi.mock(import("../../control-plane/src/directory/ask-cells.ts"), async (original) => ({
  ...(await original()),
  whoIsOverHttp: () => async (url) => {
    const id = url.replace(/^https:\/\/(.*)-(api|bulk)\..*$/, "$1");
    return { id, residency: production.manifests[id]?.residency ?? "global" };
  },
}));
vi.mock(import("../../control-plane/src/analytics/client.ts"), async (original) => ({
  ...(await original()),
  openWarehouse: () => warehouse as never,
}));
vi.mock(import("../../control-plane/src/deploy/run.ts"), () => ({
  runIn: () => (command) => {
    const line = command.args.join(" ");
    if (/ (plan|apply|add|cp) /.test(line)) told.push(line);
    return Promise.reject(new Error("there is no cloud here"));
  },
}));
vi.mock(import("../../control-plane/src/market/verify.ts"), async (original) => {
  const actual = await original();
  // No replicator runs that could catch up.
  const verify: typeof actual.verifyMarket = (centre, cells, options) =>
    actual.verifyMarket(centre, cells, { ...options, catchUpMs: 0 });
  return { ...actual, verifyMarket: verify };
});
vi.mock(import("./cli/artefact.ts"), async (original) => ({
  ...(await original()),
  artefactFor: async () => packed,
}));

const digest = (of: string) => of.repeat(64);
const ref = (of: string): ArtefactRef => ({ digest: digest(of), zipSha256: digest(of), commit: "c0ffee" });
const packed = {
  ...ref("c"),
  folder: "/nowhere",
  zip: "cell.zip",
  zipBytes: 1,
  sbom: "sbom.json",
  modified: false,
};
const warehouse = {
  query: async () => [[], null, { schema: { fields: [] } }],
  dataset: () => ({
    table: (name: string) => ({
      createWriteStream: () => {
        const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
        told.push(`load ${name}`);
        return stream.on("finish", () => stream.emit("complete"));
      },
    }),
  }),
};

interface Row {
  args: string[];
  /** What has to be typed. */
  name: string;
  /** What the audit calls it. */
  record?: string;
  /** Without a cloud it does not end well. */
  fails?: true;
}

/** What changes an environment. */
const changes: Record<string, Row & { record: string }> = {
  "tenants add": { args: ["every-new", "--cell", "eu"], name: "every-new", record: "tenant.add" },
  "tenants set": {
    args: ["every-nord", "--origin", "https://a.example"],
    name: "every-nord",
    record: "tenant.set",
  },
  "keys create": { args: ["every-nord", "--scope", "items:read"], name: "every-nord", record: "key.create" },
  "keys revoke": { args: ["every-nord", "KEY"], name: "every-nord", record: "key.revoke" },
  pause: { args: ["eu", "sink", "--reason", "x"], name: "eu", record: "sink.pause" },
  resume: { args: ["eu", "sink"], name: "eu", record: "sink.resume" },
  "directory publish": { args: ["--to", "FILE"], name: "production", record: "directory.publish" },
  "directory rollback": {
    args: ["VERSION", "--to", "FILE"],
    name: "production",
    record: "directory.rollback",
  },
  "market publish": { args: ["VALUES"], name: "production", record: "market.publish" },
  "market verify": { args: ["--repair"], name: "production", record: "market.repair", fails: true },
  "market renew": { args: [], name: "production", record: "market.renew" },
  "analytics publish": { args: [], name: "production", record: "analytics.publish" },
  "analytics aside": { args: ["--retry"], name: "production", record: "analytics.retry" },
  "analytics resume": { args: ["--cell", "eu"], name: "eu", record: "analytics.resume" },
  deploy: { args: ["eu"], name: "eu", record: "cell.deploy", fails: true },
  rollback: { args: ["eu"], name: "eu", record: "cell.deploy", fails: true },
  "secrets rotate": { args: ["eu", "--step", "add"], name: "eu", record: "secret.add", fails: true },
};
/** A rollout names all its cells. */
const waves: [string, Row] = ["deploy", { args: ["--waves"], name: "enterprise-a,eu,consumer" }];
/** As a tenant, by its own key: its domain events tell of it. */
const byTenants: Record<string, Row> = {
  import: { args: ["BOOK", "--tenant", "every-nord"], name: "every-nord" },
  "import undo": { args: ["4bf92f3577b34da6a3ce", "--tenant", "every-nord"], name: "every-nord" },
};
/** What only looks, in the forms in which others change something too. */
const reads: Record<string, string[][]> = {
  status: [[]],
  logs: [["eu"]],
  audit: [[]],
  deploy: [["--status"], ["eu", "--plan"], ["--waves", "--plan"]],
  "cells list": [[]],
  "cells show": [["eu"]],
  "cells remove": [["eu", "--dry-run"]],
  "tenants list": [[]],
  "tenants set": [["every-nord"]],
  "keys list": [["every-nord"]],
  "directory diff": [["--to", "FILE"]],
  "route explain": [["https://api.proveniq.io/v1/me"]],
  "residency audit": [["--all"]],
  "market verify": [[]],
  "analytics query": [["SELECT 1"]],
  "analytics report": [[]],
  "analytics reconcile": [[]],
  "analytics aside": [[]],
  import: [["BOOK", "--sample", "1"]],
};
/** How those end that ask what is not there. */
const ends: Record<string, number> = { status: 1, "cells remove": 1, "route explain": 2, "market verify": 1 };
/** About this machine or the repository. */
const here = [
  ...["up", "down", "doctor", "pack", "token --as alice", "secrets make eu"],
  ...[
    "snapshot save x",
    "snapshot load x",
    "snapshot list",
    "cells add zz --region us-central1 --residency global",
  ],
];

let production: Fleet;
let connections: Connections;
let centre: DatabasePool;
let folder: string;
const given: Record<string, string> = {};
beforeAll(async () => {
  vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  production = await loadFleet(new URL("../../../infra", import.meta.url).pathname);
  connections = openConnections(production);
  const { project, controlDatabase, deployDatabase, marketDatabase } = ownNames(production).config.central;
  const allow = [controlDatabase, deployDatabase, marketDatabase];
  centre = new DatabasePool({ projectId: project, allow, emulatorHost: inject("firestoreHost") });
  folder = await mkdtemp(join(tmpdir(), "every-command-"));
  Object.assign(given, {
    FILE: join(folder, "directory.json"),
    VALUES: join(folder, "v.ndjson"),
    BOOK: join(folder, "b.ndjson"),
  });
  const value = {
    marketKey: "stone:1",
    currency: "USD",
    medianMinor: 5,
    p10Minor: 1,
    p90Minor: 9,
    sampleSize: 5,
  };
  await writeFile(given["VALUES"] ?? "", JSON.stringify({ ...value, asOf: "2026-11-01" }));
  await writeFile(
    given["BOOK"] ?? "",
    JSON.stringify({ title: "Ring", category: "jewellery", externalId: "1" }),
  );
  // Of two deploys the second can be rolled back.
  for (const serving of [ref("a"), ref("b")]) {
    const at = new Date();
    const lease = {
      token: randomUUID(),
      who: "x",
      from: "x",
      until: new Date(Date.now() + 1_000).toISOString(),
    };
    const what = { id: randomUUID(), cellId: "eu", target: "x", artefact: serving, who: "x", from: "x" };
    const record = {
      ...what,
      startedAt: at.toISOString(),
      outcome: "running" as const,
      timeline: [],
      previous: ref("a"),
    };
    await connections.deploys.begin(record, lease, at);
    await connections.deploys.finish(record, lease, { outcome: "done", at, serving });
  }
  await prepare();
});
afterAll(async () => {
  await Promise.all([connections.close(), centre.close()]);
  await rm(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
  process.exitCode = 0;
});

describe("every command", () => {
  it("is known to change an environment, to look at one, or to be about this machine", () => {
    const known = [...Object.keys({ ...changes, ...byTenants, ...reads }), ...here.map((line) => line)];
    const missing = leaves().filter((path) => !known.some((k) => k === path || k.startsWith(`${path} `)));
    expect(missing).toEqual([]);
  });

  it("that only looks changes nothing and asks nothing", async () => {
    const before = await contents();
    for (const [path, forms] of Object.entries(reads))
      for (const args of forms) {
        const { code, said } = await run(path, args);
        expect([path, args, code, said]).toEqual([path, args, ends[path] ?? 0, said]);
        expect(said).not.toContain("Say so with --confirm");
      }
    expect(await contents()).toEqual(before);
  });

  it.each(here)("%s knows no cloud", async (line) => {
    expect(await run(line, [])).toMatchObject({
      code: 2,
      said: expect.stringContaining("is about this machine"),
    });
  });

  it("that changes something asks before it does", async () => {
    const before = await contents();
    for (const [path, { args, name }] of [...Object.entries<Row>({ ...changes, ...byTenants }), waves]) {
      const asked = await run(path, args);
      expect([path, asked.code, asked.said]).toEqual([
        path,
        2,
        expect.stringContaining(`Say so with --confirm ${name}.`),
      ]);
      const wrong = await run(path, [...args, "--confirm", `${name}x`]);
      expect([path, wrong.code, wrong.said]).toEqual([
        path,
        2,
        expect.stringContaining("nothing was changed"),
      ]);
    }
    expect(await contents()).toEqual(before);
  });

  it.each(Object.entries(changes))(
    "%s leaves a record of who did it, once the name is typed",
    async (path, { args, name, record, fails }) => {
      if (path.startsWith("directory ")) await loseDirectory();
      const known = await audit();
      const done = await run(path, [...args, "--confirm", name]);
      expect([done.code, done.said]).toEqual([fails === true ? 1 : 0, done.said]);
      const added = (await audit()).slice(known.length);
      expect(added.map((r) => r.action)).toEqual([record]);
      expect(added.every((r) => r.who !== "" && r.from !== "")).toBe(true);
    },
  );
});

/** Whatever is changed, there is something to change. */
async function prepare(): Promise<void> {
  const typed = ["--confirm", "every-nord"];
  await run("tenants add", ["every-nord", "--cell", "eu", ...typed]);
  const { out } = await run("keys create", ["every-nord", "--scope", "items:read", "--json", ...typed]);
  given["KEY"] = (JSON.parse(out) as { summary: { keyId: string } }).summary.keyId;
  await run("market publish", ["VALUES", "--confirm", "production"]);
  await run("directory publish", ["--to", "FILE", "--confirm", "production"]);
  await keepVersion();
}

async function keepVersion(): Promise<void> {
  given["VERSION"] = String((await connections.control.publishedVersions()).at(-1));
}

async function loseDirectory(): Promise<void> {
  await rm(given["FILE"] ?? "", { force: true });
  await keepVersion();
}

async function run(
  path: string,
  args: readonly string[],
): Promise<{ code: number; said: string; out: string }> {
  const said: string[] = [];
  const out: string[] = [];
  process.exitCode = 0;
  const line = [...path.split(" "), ...args.map((arg) => given[arg] ?? arg), "--env", "production"];
  const code = await program(line, {
    out: (text) => void (said.push(text), out.push(text)),
    err: (text) => void said.push(text),
  });
  const ended = code ?? Number(process.exitCode ?? 0);
  process.exitCode = 0;
  return { code: ended, said: said.join("\n"), out: out.join("\n") };
}

async function audit() {
  const { out } = await run("audit", ["--json"]);
  return (JSON.parse(out) as { records: { action: string; who: string; from: string }[] }).records;
}

/** All that a command could change: every document, the directory's file, and what was told to whatever no emulator is. */
async function contents(): Promise<unknown> {
  const { central } = ownNames(production).config;
  const cells = Object.entries(production.manifests).flatMap(([cell, m]) =>
    databasesOf(m).map((id) => connections.cell(cell).open(id)),
  );
  const databases = [central.controlDatabase, central.deployDatabase, central.marketDatabase].map((id) =>
    centre.open(id),
  );
  const documents = await Promise.all(
    [...cells, ...databases].map(async (db) => {
      const found = await under(await (await db).listCollections());
      return found.map((doc) => [doc.ref.path, doc.updateTime.toMillis()]);
    }),
  );
  return { documents, file: await readFile(given["FILE"] ?? "", "utf8").catch(() => ""), told: [...told] };
}

async function under(collections: readonly CollectionReference[]): Promise<QueryDocumentSnapshot[]> {
  const found = await Promise.all(
    collections.map(async (collection) => {
      const { docs } = await collection.get();
      const below = await Promise.all(docs.map(async ({ ref: doc }) => under(await doc.listCollections())));
      return [...docs, ...below.flat()];
    }),
  );
  return found.flat();
}

function ownNames({ config, manifests }: Fleet): Fleet {
  return {
    config: { ...config, central: { ...config.central, project: "every-central" } },
    manifests: Object.fromEntries(
      Object.entries(manifests).map(([id, m]) => [id, { ...m, project: `every-${id}` }]),
    ),
  };
}

/** Paths of all commands that do something, such as `tenants add`. */
function leaves(): string[] {
  const quiet = { out: () => undefined, err: () => undefined };
  const pathOf = (command: Command): string =>
    command.parent?.parent == null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
  const root = commands(quiet);
  return withChildren(root)
    .filter((each) => each !== root && (each.commands.length === 0 || each.name() === "import"))
    .map(pathOf);
}
