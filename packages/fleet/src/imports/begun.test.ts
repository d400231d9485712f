import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importInput, makeProblem } from "@proveniq/contracts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { fingerprintOf, Journal } from "./journal.ts";
import { runImport } from "./run.ts";
import { formatOf, openSource } from "./source.ts";
import * as upload from "./upload.ts";

let folder: string;
let url = "";
/** Answers to POST: one that cannot begin. To have asked is all that counts here. */
const server = createServer((_request, response) => {
  response
    .writeHead(400)
    .end(JSON.stringify(makeProblem("invalid-request", "4bf92f3577b34da6a3ce929d0e0e4736")));
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleet-run-"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Start an import while the journal names another, and hear what is said. */
async function startBeside(state: string, dryRun: boolean, same: boolean): Promise<string> {
  const path = join(folder, "book.csv");
  await writeFile(path, "id\nA\n");
  const source = await openSource(path, { format: "csv", encoding: "utf-8" });
  const fields = { externalId: { column: "id" }, title: { column: "id" }, category: { constant: "art" } };
  const input = importInput.parse({ source: "b", format: formatOf(source), mapping: { fields } });
  const tenant = "carrier-a";
  const journal = await Journal.read(path);
  await journal.begin(
    same ? fingerprintOf(source.bytes, source.modifiedAt, source.encoding, url, tenant, input) : "another",
  );
  await journal.began("i".repeat(20));
  const spy = vi.spyOn(upload, "getImport").mockResolvedValue({ state, dryRun } as never);
  const run = {
    url,
    tenant,
    key: "k",
    input,
    parallel: 1,
    errorsFile: join(folder, "errors.csv"),
    fresh: false,
  };
  try {
    await runImport(source, { ...run, patienceMs: 1_000, output: undefined });
    return "it ran";
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll(folder, "") : "";
  } finally {
    spy.mockRestore();
  }
}

test.each([
  ["stopped", true, true, /^.*\(invalid-request\)/],
  ["stopped", true, false, /^.*\(invalid-request\)/],
  ["open", true, false, /^.*\(invalid-request\)/],
  ["cancelled", false, false, /^.*\(invalid-request\)/],
  [
    "stopped",
    false,
    true,
    /was stopped because too many rows were refused\. What it wrote stays\. Add --fresh/,
  ],
  ["superseded", false, true, /was overtaken by a newer full import/],
  [
    "open",
    false,
    false,
    /Finish it as it was, or add --fresh to give it up and begin anew: what it wrote stays/,
  ],
])(
  "beside an import that is %s (dry run: %s, same file and options: %s)",
  async (state, dryRun, same, said) => {
    expect(await startBeside(state, dryRun, same)).toMatch(said);
  },
);
