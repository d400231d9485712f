import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ImportJob, type ImportPlan, importInput, importJob, noCounts } from "@proveniq/contracts";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { SeenJob } from "./job.ts";
import { planText } from "./plan.ts";
import { type RunOptions, runImport } from "./run.ts";
import { openSource } from "./source.ts";

/** A cell as far as a client sees it: what it is asked for, and what a test wants it to answer to `complete`. */
const calls: string[] = [];
let job: ImportJob;
let completes: ((body: { preview?: boolean; confirmDeletes?: number }) => [number, object])[] = [];
const id = "a".repeat(20);
const plan: ImportPlan = {
  created: 1,
  changed: 1_200,
  unchanged: 3,
  deleted: 7,
  gone: 5,
  absent: 0,
  superseded: 0,
  failed: 0,
  ofSource: 90,
};

function fresh(): ImportJob {
  return importJob.parse({
    id,
    source: "book",
    state: "open",
    dryRun: false,
    scope: "full",
    createdAt: "2026-12-01T00:00:00.000Z",
    updatedAt: "2026-12-01T00:00:00.000Z",
    chunks: { known: 0, done: 0, unfinished: [] },
    counts: { ...noCounts },
    summary: "No rows yet.",
    pace: { rowsPerSecond: 0, writesPerSecondAllowed: 1, secondsLeft: null },
    warnings: [],
    phase: "receiving",
  } satisfies ImportJob);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const path = (request.url ?? "").replace(/^.*\/v1\/imports/, "");
  const send = (status: number, body: object) =>
    response
      .writeHead(status, { "content-type": "application/json", "retry-after": "0" })
      .end(JSON.stringify(body));
  if (path.endsWith("/complete")) {
    const body = JSON.parse(Buffer.concat(parts).toString());
    calls.push(`complete ${JSON.stringify(body)}`);
    const [status, more] = completes.shift()?.(body) ?? [200, { ...job, state: "completed", phase: "ended" }];
    if (status < 300) job = importJob.parse(more);
    return void send(status, more);
  }
  calls.push(`${request.method} ${path.replace(/\?.*/, "")}`);
  if (request.method === "DELETE") {
    job = { ...job, state: "cancelled", phase: "ended" };
    return void send(200, job);
  }
  const chunk = /\/chunks\/(\d+)\?firstRow=(\d+)/.exec(path);
  if (chunk !== null) {
    return void send(200, {
      chunk: Number(chunk[1]),
      state: "done",
      firstRow: Number(chunk[2]),
      rows: Number(chunk[1]) === 1 ? 2_000 : 1,
      done: 1,
      counts: noCounts,
    });
  }
  send(request.method === "POST" ? 201 : 200, job);
}

let server: Server;
let folder: string;
let file: string;
let url = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleet-run-"));
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  file = join(folder, `book-${Math.random()}.ndjson`);
  await writeFile(file, '{"externalId":"A"}\n'.repeat(2_001));
  job = fresh();
  completes = [];
});
afterEach(() => {
  calls.splice(0);
});

const lines: string[] = [];
async function run(more: Partial<RunOptions> = {}) {
  lines.splice(0);
  return runImport(await openSource(file, { format: "ndjson", encoding: "utf-8" }), {
    url,
    tenant: "carrier-a",
    key: "k",
    input: importInput.parse({ source: "book", format: { type: "ndjson" }, scope: "full" }),
    parallel: 1,
    errorsFile: `${file}.errors.csv`,
    fresh: false,
    patienceMs: 5_000,
    output: { isTerminal: false, write: (text) => lines.push(text.trimEnd()) },
    ...more,
  });
}
const sent = ["POST ", `PUT /${id}/chunks/1`, `PUT /${id}/chunks/2`];
const totals = '"chunks":2,"rows":2001';
const problem = (code: string, detail: string): [number, object] => [
  409,
  { type: "x", title: "No", status: 409, code, detail },
];
const hasJournal = () =>
  stat(`${file}.import`).then(
    () => true,
    () => false,
  );

test("the end is followed through its phases, each said once", async () => {
  const later = (more: Partial<ImportJob>) => (): [number, object] => [202, { ...job, ...more }];
  completes = [
    later({ phase: "waiting", waitingFor: "b".repeat(20) }),
    later({ phase: "checking" }),
    later({ phase: "writing", plan, counts: { ...noCounts, created: 1, changed: 600 } }),
    later({ phase: "writing", plan, counts: { ...noCounts, created: 1, changed: 900 } }),
  ];
  expect((await run()).import.state).toBe("completed");
  expect(lines).toEqual([
    "checking every row against the book",
    `waiting for import ${"b".repeat(20)}, which was completed before`,
    "checking every row against the book",
    "writing: 601 of 1,208",
  ]);
  expect(await hasJournal()).toBe(false);
});

test("a preview is answered by writing, and confirms the deletions that it showed", async () => {
  completes = [(): [number, object] => [200, { ...job, plan }]];
  let shown: SeenJob | undefined;
  const result = await run({
    preview: async (checked) => {
      shown = checked;
      return "write";
    },
  });
  expect(calls).toEqual([
    ...sent,
    `complete {${totals},"preview":true}`,
    `complete {${totals},"confirmDeletes":5}`,
  ]);
  expect(result.import.state).toBe("completed");
  expect(shown === undefined ? "" : planText(shown)).toBe(
    [
      "0 rows, the whole of their source:",
      "      1 would be created",
      "  1,200 would be changed",
      "      3 are there and the same",
      "      2 would be deleted, as the file says of them",
      "      5 would be deleted, as the file no longer names them (of 90 of its source)",
    ].join("\n"),
  );
});

test("a preview may be dropped, which cancels it, or kept, whereupon the next run sends nothing again", async () => {
  const open = (): [number, object] => [200, { ...job, plan }];
  completes = [open];
  expect((await run({ preview: async () => "drop" })).import.state).toBe("cancelled");
  expect(calls.at(-1)).toBe(`DELETE /${id}`);
  expect(await hasJournal()).toBe(false);

  job = fresh();
  completes = [open];
  expect((await run({ preview: async () => "keep" })).import.state).toBe("open");
  calls.splice(0);
  expect((await run()).import.state).toBe("completed");
  expect(calls).toEqual([`GET /${id}`, `complete {${totals}}`]);
});

test("a run that was killed while it sent goes on with what is missing, and asks for the end once", async () => {
  completes = [(): [number, object] => [200, { ...job, plan }]];
  await run({ preview: async () => "keep" });
  const journal = (await readFile(`${file}.import`, "utf8")).split("\n");
  // As it was after the first chunk.
  await writeFile(`${file}.import`, journal.filter((line) => !/"sent"|"done":2/.test(line)).join("\n"));
  calls.splice(0);
  await run();
  expect(calls).toEqual([`GET /${id}`, `PUT /${id}/chunks/2`, `complete {${totals}}`]);
});

test("chunks that a cell asks for again are sent again", async () => {
  completes = [
    (): [number, object] => [
      409,
      { ...problem("import-incomplete", "")[1], errors: [{ path: "/chunks/2", message: "is missing" }] },
    ],
  ];
  await run();
  expect(calls).toEqual([...sent, `complete {${totals}}`, `PUT /${id}/chunks/2`, `complete {${totals}}`]);
});

test("too many deletions are told with what to type", async () => {
  completes = [
    () => problem("too-many-deletes", "If they are gone, complete again with confirmDeletes: 302."),
  ];
  await expect(run()).rejects.toThrow(
    "Nothing was written. If that is right, run it again with --confirm-deletes 302.",
  );
  calls.splice(0);
  await run({ confirmDeletes: 302 });
  expect(calls).toEqual([`GET /${id}`, `complete {${totals},"confirmDeletes":302}`]);
});
