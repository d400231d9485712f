import { createHash, randomUUID } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArtefactRef } from "@proveniq/contracts";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { root } from "./cli/paths.ts";
import { commands, withChildren } from "./program.ts";
import { EmulatedCloud } from "./testing.ts";

const digest = (of: string) => of.repeat(64);
const ref = (of: string): ArtefactRef => ({ digest: digest(of), zipSha256: digest(of), commit: "c0ffee" });
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
  "market take": { args: ["ARRIVALS"], name: "production", record: "market.publish" },
  "market verify": { args: ["--repair"], name: "production", record: "market.repair", fails: true },
  "market renew": { args: [], name: "production", record: "market.renew" },
  "analytics publish": { args: [], name: "production", record: "analytics.publish" },
  "analytics aside": { args: ["--retry"], name: "production", record: "analytics.retry" },
  "analytics resume": { args: ["--cell", "eu"], name: "eu", record: "analytics.resume" },
  deploy: { args: ["eu", "--artefact", "ZIP"], name: "eu", record: "cell.deploy", fails: true },
  rollback: { args: ["eu"], name: "eu", record: "cell.deploy", fails: true },
  "secrets rotate": { args: ["eu", "--step", "add"], name: "eu", record: "secret.add", fails: true },
  "tenants remove": { args: ["every-new"], name: "every-new", record: "tenant.remove" },
};
/** A rollout names all its cells. */
const waves: [string, Row] = ["deploy", { args: ["--waves"], name: "enterprise-a,eu,consumer" }];
/** As a tenant, by its own key: its domain events tell of it. */
const byTenants: Record<string, Row> = {
  import: { args: ["BOOK", "--tenant", "every-nord"], name: "every-nord" },
  "import undo": { args: ["4bf92f3577b34da6a3ce", "--tenant", "every-nord"], name: "every-nord" },
};
/** What makes a cloud or takes it away: there is nothing yet, or no more, that could hold an audit. */
const clouds: Record<string, string[]> = {
  "cloud init": [
    "--organisation=123456789012",
    "--billing-account=01AB23-CD45EF-678901",
    "--domain=proveniq.io",
    "--residencies=global,eu",
    "--repository=proveniq/cells",
  ],
  "cloud bootstrap": [],
};
/** Never of production. */
const ofStaging = "cloud destroy";
/** What only looks, in the forms in which others change something too. */
const reads: Record<string, string[][]> = {
  status: [[]],
  doctor: [[]],
  logs: [["eu"]],
  audit: [[]],
  deploy: [["--status"], ["eu", "--plan", "--artefact", "ZIP"], ["--waves", "--plan", "--artefact", "ZIP"]],
  "cells list": [[]],
  "cells show": [["eu"]],
  "cells remove": [["eu", "--dry-run"]],
  "tenants list": [[]],
  "tenants set": [["every-nord"]],
  "keys list": [["every-nord"]],
  "directory diff": [["--to", "FILE"]],
  "directory history": [[]],
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
const ends: Record<string, number> = {
  doctor: 1,
  status: 1,
  "cells remove": 1,
  "route explain": 2,
  "market verify": 1,
};
/** About this machine or the repository. */
const here = [
  "up",
  "down",
  "acknowledge",
  "pack",
  "token --as alice",
  "secrets make eu",
  "snapshot save x",
  "snapshot load x",
  "snapshot list",
  "cells add zz --region us-central1 --residency global",
];

let production: EmulatedCloud;
let folder: string;
const given: Record<string, string> = {};
beforeAll(async () => {
  // `status` does not wait for what it asked.
  vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  production = await EmulatedCloud.make("every", inject("firestoreHost"));
  folder = await mkdtemp(join(tmpdir(), "every-command-"));
  const file = (name: string) => join(folder, name);
  Object.assign(given, {
    FILE: file("directory.json"),
    VALUES: file("v.ndjson"),
    BOOK: file("b.ndjson"),
    ZIP: file("packed"),
    ARRIVALS: file("arrivals"),
  });
  await mkdir(file("arrivals"));
  const value = {
    marketKey: "stone:1",
    currency: "USD",
    medianMinor: 5,
    p10Minor: 1,
    p90Minor: 9,
    sampleSize: 5,
  };
  await writeFile(file("v.ndjson"), JSON.stringify({ ...value, asOf: "2026-11-01" }));
  await writeFile(
    file("b.ndjson"),
    JSON.stringify({ title: "Ring", category: "jewellery", externalId: "1" }),
  );
  await packNothing(file("packed"));
  const { deploys } = production.connections;
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
    await deploys.begin(record, lease, at);
    await deploys.finish(record, lease, { outcome: "done", at, serving });
  }
  const typed = ["--confirm", "every-nord"];
  await run("tenants add", ["every-nord", "--cell", "eu", ...typed]);
  const { out } = await run("keys create", ["every-nord", "--scope", "items:read", "--json", ...typed]);
  given["KEY"] = (JSON.parse(out) as { summary: { keyId: string } }).summary.keyId;
  await run("market publish", ["VALUES", "--confirm", "production"]);
  await run("directory publish", ["--to", "FILE", "--confirm", "production"]);
  await keepVersion();
});
afterAll(async () => {
  await production.connections.close();
  await rm(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
});

describe("every command", () => {
  it("is known to change an environment, to look at one, or to be about this machine", () => {
    const known = [...Object.keys({ ...changes, ...byTenants, ...clouds, ...reads }), ofStaging, ...here];
    const missing = leaves().filter((path) => !known.some((k) => k === path || k.startsWith(`${path} `)));
    expect(missing).toEqual([]);
  });

  it("that only looks changes nothing and asks nothing", async () => {
    const before = await production.contents(given["FILE"] ?? "");
    for (const [path, forms] of Object.entries(reads))
      for (const args of forms) {
        const { code, said } = await run(path, args);
        expect([path, args, code, said]).toEqual([path, args, ends[path] ?? 0, said]);
        expect(said).not.toContain("Say so with --confirm");
      }
    expect(await production.contents(given["FILE"] ?? "")).toEqual(before);
  });

  it.each(here)("%s knows no cloud", async (line) => {
    expect(await run(line, [])).toMatchObject({
      code: 2,
      said: expect.stringContaining("is about this machine"),
    });
  });

  it("that changes something asks before it does", async () => {
    const before = await production.contents(given["FILE"] ?? "");
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
    expect(await production.contents(given["FILE"] ?? "")).toEqual(before);
  });

  it("that makes a cloud asks before it does, and none takes production away", async () => {
    const infra = join(folder, "infra");
    await cp(join(root, "infra"), infra, { recursive: true });
    vi.stubEnv("FLEET_INFRA", infra);
    const init = clouds["cloud init"] ?? [];
    const before = await readFile(join(infra, "fleet.json"), "utf8");
    expect(await run("cloud init", init)).toMatchObject({
      code: 2,
      said: expect.stringContaining("--confirm production"),
    });
    expect(await readFile(join(infra, "fleet.json"), "utf8")).toBe(before);
    expect(await run("cloud init", [...init, "--confirm", "production"])).toMatchObject({ code: 0 });
    expect(await run("cloud bootstrap", [])).toMatchObject({
      code: 2,
      said: expect.stringContaining("Say so with --confirm production."),
    });
    expect(await run(ofStaging, ["--confirm", "production"])).toMatchObject({
      code: 2,
      said: expect.stringContaining("Only staging can be destroyed"),
    });
    vi.stubEnv("FLEET_INFRA", "");
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

/** As `fleet pack` leaves it, with nothing in its zip. */
async function packNothing(to: string): Promise<void> {
  await mkdir(to);
  const zipSha256 = createHash("sha256").update("").digest("hex");
  const names = { zip: "cell.zip", zipSha256, zipBytes: 1, sbom: "sbom.cdx.json" };
  await writeFile(join(to, names.zip), "");
  await writeFile(join(to, "artefact.json"), JSON.stringify({ ...ref("c"), ...names, modified: false }));
}

async function keepVersion(): Promise<void> {
  given["VERSION"] = String((await production.connections.control.publishedVersions()).at(-1));
}

async function loseDirectory(): Promise<void> {
  await rm(given["FILE"] ?? "", { force: true });
  await keepVersion();
}

async function run(
  path: string,
  args: readonly string[],
): Promise<{ code: number; said: string; out: string }> {
  production.replicasAnswer = path !== "market verify";
  const { code, out, err } = await production.run(
    ...path.split(" "),
    ...args.map((arg) => given[arg] ?? arg),
  );
  production.replicasAnswer = true;
  return { code, out, said: `${err}\n${out}` };
}

async function audit() {
  const { out } = await run("audit", ["--json"]);
  return (JSON.parse(out) as { records: { action: string; who: string; from: string }[] }).records;
}

/** Paths of all commands that do something, such as `tenants add`. */
function leaves(): string[] {
  const quiet = { out: () => undefined, err: () => undefined };
  const pathOf = (command: Command): string =>
    command.parent === null || command.parent.parent === null
      ? command.name()
      : `${pathOf(command.parent)} ${command.name()}`;
  const program = commands(quiet);
  return withChildren(program)
    .filter((each) => each !== program && (each.commands.length === 0 || each.name() === "import"))
    .map(pathOf);
}
