import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { importMapping, makeProblem } from "@proveniq/contracts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { draftMapping } from "./draft.ts";
import { ImportApi, Refusal } from "./http.ts";
import { Journal } from "./journal.ts";
import { Progress } from "./progress.ts";
import { openSource } from "./source.ts";
import { chunksOf, type FileChunk } from "./split.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleet-imports-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}
async function chunks(
  path: string,
  encoding = "utf-8",
  format: "csv" | "ndjson" = "csv",
): Promise<FileChunk[]> {
  const all: FileChunk[] = [];
  for await (const chunk of chunksOf(await openSource(path, { format, encoding }))) all.push(chunk);
  return all;
}

describe("a file", () => {
  test("is cut into chunks of whole records, always the same", async () => {
    const rows = Array.from({ length: 12_345 }, (_, n) => `${n},"line one\nline ""two"" of ${n}"\r\n`);
    const path = await file("book.csv", `\ufeffid,note\r\n${rows.join("")}`);
    const cut = await chunks(path);
    expect(cut.map((c) => [c.chunk, c.firstRow, c.rows])).toEqual([
      ...Array.from({ length: 6 }, (_, n) => [n + 1, 1 + 2_000 * n, 2_000]),
      [7, 12_001, 345],
    ]);
    expect(Buffer.concat(cut.map((c) => c.bytes)).toString()).toBe(rows.join(""));
    expect(await chunks(path)).toEqual(cut);
  });

  test("of more chunks than an import may have is cut into larger ones", async () => {
    const path = await file("large.csv", `id,note\n${"1,0123456789abcdefghijklm\n".repeat(20_000)}`);
    const source = await openSource(path, { format: "csv", encoding: "utf-8" });
    const rowsAt = async (bytes: number) => {
      const all: number[] = [];
      for await (const chunk of chunksOf({ ...source, bytes })) all.push(chunk.rows);
      return all;
    };
    const [rows] = await rowsAt(800_000_000);
    expect(rows).toBeGreaterThan(3_500);
    expect(await rowsAt(50_000_000_000)).toEqual([5_000, 5_000, 5_000, 5_000]);
  });

  test("tells its delimiter and its columns, a quoted line break in the header included", async () => {
    for (const [delimiter, header] of [
      [";", 'id;"a, b";c'],
      ["\t", 'id\t"a\nb"\tc'],
      [",", "id,a,c"],
      ["|", "id|a|c"],
    ] as const) {
      const source = await openSource(await file("head.csv", `${header}\n1\n`), {
        format: "csv",
        encoding: "utf-8",
      });
      expect(source.csv?.delimiter).toBe(delimiter);
      expect(source.csv?.columns).toHaveLength(3);
    }
  });

  test("is refused with what to do about it", async () => {
    const open = async (content: string | Buffer) =>
      openSource(await file("odd.csv", content), { format: "csv", encoding: "utf-8" });
    await expect(open("")).rejects.toThrow("is empty");
    await expect(open("a,,c\n")).rejects.toThrow("column without a name");
    await expect(open("a,b,a\n")).rejects.toThrow('has the column "a" twice');
    const names = (count: number) => Array.from({ length: count }, (_, n) => `c${n}`).join(",");
    await expect(open(`${names(1_001)}\n`)).rejects.toThrow("has 1001 columns; an import takes 1000");
    await expect(open(`${names(1_000_000)}\n`)).rejects.toThrow("longer than 256 KiB");
    await expect(open(Buffer.from("\ufeffa,b\n", "utf16le"))).rejects.toThrow("--encoding utf-16le");
    await expect(open(Buffer.from([0x1f, 0x8b, 8]))).rejects.toThrow("gzip");
    await expect(openSource(join(folder, "none.csv"), { format: "csv", encoding: "utf-8" })).rejects.toThrow(
      "There is no file",
    );
    await expect(chunks(await file("latin.csv", Buffer.from("a,b\n1,\xe9\n", "latin1")))).rejects.toThrow(
      "about row 1",
    );
  });

  test("in another encoding is converted", async () => {
    const latin = await chunks(
      await file("latin.csv", Buffer.from("a,b\n1,\xe9\n", "latin1")),
      "windows-1252",
    );
    expect(latin[0]?.bytes.toString()).toBe("1,é\n");
    const wide = await chunks(
      await file("wide.csv", Buffer.from("\ufeffa,b\n1,画\n", "utf16le")),
      "utf-16le",
    );
    expect(wide[0]?.bytes.toString()).toBe("1,画\n");
  });

  test("with a line without end is still read in little memory, and counts it as one row", async () => {
    const path = await file("endless.csv", `a,b\n${"x".repeat(5_000_000)}\n1,2\n`);
    const [only] = await chunks(path);
    expect(only?.rows).toBe(2);
    expect(only?.bytes.length).toBeLessThan(600_000);
  });

  test("of NDJSON is cut at its lines", async () => {
    const path = await file("book.ndjson", '{"a":1}\n\n{"a":2}');
    expect(await chunks(path, "utf-8", "ndjson")).toMatchObject([
      { rows: 2, bytes: Buffer.from('{"a":1}\n{"a":2}\n') },
    ]);
  });
});

describe("the journal", () => {
  test("outlives a kill at any byte", async () => {
    const path = await file("kill.csv", "");
    const journal = await Journal.read(path);
    expect(journal.fingerprint).toBe("");
    await journal.begin("print");
    await journal.began("i".repeat(20));
    await journal.note(2, 5_000);
    await journal.note(1, 5_000);
    const whole = await readFile(journal.path);
    for (let length = 0; length <= whole.length; length++) {
      await writeFile(journal.path, whole.subarray(0, length));
      const again = await Journal.read(path);
      const begun = again.importId !== undefined;
      expect(begun || again.done.size === 0).toBe(true);
      if (begun) await again.note(9, 1);
      const after = await Journal.read(path);
      expect(after.done.has(9)).toBe(begun);
      expect([...after.done.keys()].every((n) => [1, 2, 9].includes(n))).toBe(true);
    }
  });
});

describe("a call", () => {
  let server: Server;
  let url = "";
  const answers: { status: number; headers?: Record<string, string>; body?: string; drop?: true }[] = [];
  const seen: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      const next = answers.shift() ?? { status: 200, body: "{}" };
      if (next.drop === true) request.socket.destroy();
      else response.writeHead(next.status, next.headers).end(next.body ?? "");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    url = `http://book.localhost:${typeof address === "object" ? address?.port : ""}`;
  });
  afterAll(() => {
    server.close();
  });
  const api = (patienceMs: number) => new ImportApi({ url, tenant: "carrier-a", key: "k", patienceMs });

  test("is repeated until it is answered for good", async () => {
    answers.push(
      { status: 503, headers: { "retry-after": "0" } },
      { status: 429, headers: { "retry-after": "0" } },
      { status: 0, drop: true },
      { status: 201, body: "ok" },
    );
    const client = api(10_000);
    expect(await client.call({ method: "POST", path: "/imports", body: "{}" })).toMatchObject({
      status: 201,
      text: "ok",
    });
    expect(seen.splice(0)).toEqual(Array(4).fill("POST /t/carrier-a/v1/imports Bearer k"));
    client.close();
  });

  test("waits for paused imports however long that is, and has all its patience afterwards", async () => {
    const client = api(500);
    const paused = JSON.stringify(makeProblem("imports-paused", "4bf92f3577b34da6a3ce929d0e0e4736"));
    for (let n = 0; n < 4; n++)
      answers.push({ status: 503, headers: { "retry-after": "0.3" }, body: paused });
    answers.push({ status: 200, body: "ok" });
    const started = Date.now();
    expect(await client.call({ method: "GET", path: "/x" })).toMatchObject({ status: 200 });
    expect(Date.now() - started).toBeGreaterThan(1_000);
    seen.splice(0);
    client.close();
  });

  test("ends with the wrapper that started the program, even when that is killed with -9", async () => {
    answers.push(...Array.from({ length: 100 }, () => ({ status: 503, headers: { "retry-after": "1" } })));
    seen.splice(0);
    const bin = fileURLToPath(new URL("../../bin/fleet.mjs", import.meta.url));
    const fields = { externalId: { column: "id" }, title: { column: "id" }, category: { constant: "art" } };
    const map = await file("orphan.json", JSON.stringify({ fields }));
    const args = ["import", await file("orphan.csv", "id\nA\n"), "--map", map, "--tenant", "carrier-a"];
    const child = fork(bin, [...args, "--url", url, "--key-file", await file("key", "k")], { silent: true });
    const ended = once(child, "exit");
    try {
      await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0), { timeout: 20_000 });
      child.disconnect();
      expect(await ended).toEqual([130, null]);
    } finally {
      child.kill("SIGKILL");
      answers.splice(0);
    }
  });

  test("ends with the problem of a refusal, and with a reason when patience does", async () => {
    const client = api(200);
    answers.push({
      status: 409,
      body: JSON.stringify({
        type: "x",
        title: "Closed",
        status: 409,
        code: "import-closed",
        detail: "It is stopped.",
      }),
    });
    await expect(client.call({ method: "GET", path: "/x" })).rejects.toBeInstanceOf(Refusal);
    answers.push({ status: 503, headers: { "retry-after": "9" } });
    await expect(client.call({ method: "GET", path: "/x" })).rejects.toThrow(
      "(503 internal-error). Start the same command again",
    );
    client.close();
  });
});

test("a drafted mapping is valid, reads numbers in the form they have, and says what to check", () => {
  const columns = [
    "Policy No",
    "Titel",
    "Versicherungssumme",
    "Purchase date",
    "Größe (mm)",
    "PLZ",
    "Größe (mm) 2",
  ];
  const rows = [
    ["P-1", "Ring", "1.200,50", "17.05.2024", "12", "01067", ""],
    ["P-2", "Uhr", "900,00", "1.2.2023", "7.5", "80331", ""],
  ];
  rows[1]?.splice(2, 1, "12.900,00");
  const { mapping, remarks } = draftMapping(columns, rows);
  expect(importMapping.parse(mapping)).toMatchObject({
    fields: {
      externalId: { column: "Policy No" },
      title: { column: "Titel" },
      insuredValue: { column: "Versicherungssumme", number: { decimal: ",", grouping: "." } },
      acquiredOn: { formats: ["d.M.yyyy"] },
    },
    attributes: {
      groEMm: { type: "number", column: "Größe (mm)" },
      pLZ: { type: "text", column: "PLZ" },
      groEMm2: { type: "text" },
    },
  });
  expect(remarks.join(" ")).toMatch(/category is "other"/);
});

test("progress is one line now and then, with what is left", () => {
  let now = 0;
  const lines: string[] = [];
  const progress = new Progress(
    { isTerminal: false, write: (text) => lines.push(text) },
    1_000_000,
    () => now,
  );
  const counts = {
    rows: 0,
    created: 0,
    changed: 0,
    unchanged: 0,
    deleted: 0,
    absent: 0,
    superseded: 0,
    valid: 0,
    blank: 0,
    failed: 3,
    warnings: 0,
  };
  progress.read(100_000);
  now = 1_000;
  progress.chunk(undefined, { chunk: 1, state: "working", firstRow: 1, rows: 5_000, done: 2_000, counts });
  expect(lines).toEqual([]);
  now = 6_000;
  progress.chunk(
    { chunk: 1, state: "working", firstRow: 1, rows: 5_000, done: 2_000, counts },
    { chunk: 1, state: "done", firstRow: 1, rows: 5_000, done: 5_000, counts },
  );
  expect(lines.splice(0)).toEqual(["5,000 rows, 833 rows/s, 3 refused, 54 s left\n"]);
  for (const [at, why] of [
    [7_000, "429 a"],
    [7_001, "429 a"],
    [7_002, "503 b"],
    [11_000, "503 b"],
    [12_500, "503 b"],
  ] as const) {
    now = at;
    progress.waiting(why, 2);
  }
  expect(lines).toEqual(["waiting 2 s (429 a)\n", "waiting 2 s (503 b)\n", "waiting 2 s (503 b)\n"]);
});
