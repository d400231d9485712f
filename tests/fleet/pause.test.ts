import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DatabasePool } from "@proveniq/db/pool";
import { controlClient } from "@proveniq/local-cloud/control";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { Client } from "../../examples/demo/client.ts";
import { partner } from "../setup/callers.ts";

/** Pauses as an operator makes them, seen by a partner and by whoever is on call. */
const state = inject("fleet");
const stateDir = dirname(state.directoryFile);
const run = promisify(execFile);
const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const client = new Client(state.router);
const control = controlClient(state.control);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleet-pause-"));
});
afterAll(async () => {
  await client.close();
  await rm(folder, { recursive: true, force: true });
});

/** Whatever a test that failed has left behind: nobody after it is to wait. */
afterEach(async () => {
  const cell = state.cells["eu"];
  if (cell === undefined) throw new Error("the cell eu runs");
  const [home = ""] = cell.databases;
  const pool = new DatabasePool({
    projectId: cell.project,
    allow: [home, "market"],
    emulatorHost: cell.relay,
  });
  for (const [database, what] of [
    [home, "imports"],
    [home, "sink"],
    ["market", "replicator"],
  ] as const)
    await (await pool.open(database)).doc(`pauses/${what}`).delete();
  await pool.close();
});

interface Said {
  code: number;
  out: string;
  err: string;
}

async function fleet(...args: string[]): Promise<Said> {
  const bin = path("packages/fleet/bin/fleet.mjs");
  const done = await run(process.execPath, [bin, ...args, "--state-dir", stateDir]).catch(
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  return { code: "code" in done ? done.code : 0, out: done.stdout, err: done.stderr };
}

async function until(what: () => Promise<boolean>, withinMs: number): Promise<number> {
  const started = Date.now();
  while (!(await what())) {
    if (Date.now() - started > withinMs) throw new Error(`not within ${withinMs} ms`);
    await sleep(200);
  }
  return Date.now() - started;
}

/** Each command is a process of its own; a busy machine takes its time over them. */
const patienceMs = 150_000;

const caller = partner(state, "atelier-nord");

describe("paused imports", () => {
  test(
    "wait and end well, with the centre down, while all else is served; the audit knows who and why",
    async () => {
      const file = join(folder, "book.ndjson");
      await writeFile(file, `{"title":"Ring","category":"jewellery","externalId":"${randomUUID()}"}\n`);
      await control.relay("central").cut();
      try {
        const paused = await fleet("pause", "eu", "imports", "--reason", "INC-42");
        expect(paused).toMatchObject({
          code: 0,
          err: expect.stringMatching(/^Pause imports of cell eu \(.*\), in the fleet at http:\S+\n$/),
        });
        expect(paused.out).toContain("npx fleet resume eu imports");
      } finally {
        await control.relay("central").restore();
      }
      const begin = () =>
        client.call(caller, "POST", "/v1/imports", {
          body: { source: "probe", format: { type: "ndjson" } },
          headers: { "idempotency-key": randomUUID() },
        });
      await until(async () => (await begin()).status === 503, 12_000);
      expect((await begin()).json).toMatchObject({ code: "imports-paused" });
      await client.expect(201, caller, "POST", "/v1/items", { body: { title: "One", category: "other" } });

      const importing = fleet("import", file, "--tenant", "atelier-nord");
      await sleep(1_500);
      const status = JSON.parse((await fleet("status", "--json")).out);
      expect(status.findings).toContainEqual(
        expect.objectContaining({
          where: "eu",
          level: "note",
          what: expect.stringMatching(/^imports paused since .* by .* \(.*\): INC-42$/),
          next: "npx fleet resume eu imports",
        }),
      );
      expect(await fleet("resume", "eu", "imports")).toMatchObject({ code: 0 });
      const done = await importing;
      expect(done.err).toContain("waiting 10 s (503 imports-paused)");
      expect([done.code, done.out]).toEqual([0, expect.stringContaining("1 created")]);

      const { records } = JSON.parse((await fleet("audit", "--json")).out) as {
        records: { action: string; target: string; detail: object; who: string }[];
      };
      const mine = records.filter((r) => /^imports[.]/.test(r.action) && r.target === "eu");
      expect(mine.map((r) => [r.action, r.detail])).toEqual([
        ["imports.pause", { reason: "INC-42" }],
        ["imports.resume", {}],
      ]);
      expect(mine.every((r) => r.who !== "")).toBe(true);
    },
    patienceMs,
  );
});

describe("a paused sink and a paused replicator", () => {
  test(
    "do nothing and say so, and catch up when they go on",
    async () => {
      const both = ["sink", "replicator"];
      await Promise.all(both.map((what) => fleet("pause", "eu", what, "--reason", "trying it out")));
      const logs = (service: string) => readFile(join(stateDir, "logs", `${service}-eu.log`), "utf8");
      await until(
        async () => (await logs("sink")).includes("the sink is paused and carries nothing"),
        12_000,
      );
      await until(
        async () => (await logs("replicate")).includes("the replicator is paused and does nothing"),
        12_000,
      );
      const outboxes = async () => {
        const response = await fetch(`${state.cells["eu"]?.sink}/ready`);
        expect(response.status).toBe(200);
        return (await response.json()) as { outboxes: { state: string; delivered: number }[] };
      };
      // The log tells of the first of a cell's two databases.
      const states = async () => (await outboxes()).outboxes.map((o) => o.state);
      await expect.poll(states, { timeout: 12_000 }).toEqual(["paused", "paused"]);
      const before = await outboxes();
      for (let n = 0; n < 3; n++)
        await client.expect(201, caller, "POST", "/v1/items", { body: { title: "Held", category: "other" } });
      await sleep(2_500);
      expect(delivered(await outboxes())).toBe(delivered(before));
      const status = await fleet("status");
      expect(status.out).toContain("sink, replicator");

      await Promise.all(both.map((what) => fleet("resume", "eu", what)));
      await until(async () => delivered(await outboxes()) >= delivered(before) + 3, 15_000);
      await until(async () => (await logs("replicate")).includes("replicating goes on"), 12_000);
    },
    patienceMs,
  );
});

const delivered = ({ outboxes }: { outboxes: { delivered: number }[] }) =>
  outboxes.reduce((sum, o) => sum + o.delivered, 0);
