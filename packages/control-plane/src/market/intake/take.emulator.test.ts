import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { contentsAt } from "@proveniq/db/market/centre";
import { MarketPublishing } from "@proveniq/db/market/publishing";
import { DatabasePool } from "@proveniq/db/pool";
import { afterAll, describe, expect, inject, it } from "vitest";
import { BucketInbox } from "./bucket.ts";
import { FolderInbox } from "./folder.ts";
import type { Inbox } from "./inbox.ts";
import { type Step, takeMarket } from "./take.ts";
import { startStorage } from "./testing/storage.ts";

const pools: DatabasePool[] = [];
const folder = mkdtempSync(join(tmpdir(), "intake-"));
const storages: { close(): void }[] = [];
afterAll(async () => {
  for (const storage of storages) storage.close();
  rmSync(folder, { recursive: true });
  await Promise.all(pools.map((pool) => pool.close()));
});

let centres = 0;
function centre() {
  const projectId = `cp-intake-${(centres += 1)}`;
  const pool = new DatabasePool({ projectId, allow: ["market"], emulatorHost: inject("firestoreHost") });
  pools.push(pool);
  return { projectId, market: new MarketPublishing(() => pool.open("market")) };
}

const lines = (median: number, count = 5) =>
  Array.from({ length: count }, (_, n) =>
    JSON.stringify({
      marketKey: `stone:${n}`,
      currency: "USD",
      medianMinor: median,
      p10Minor: 0,
      p90Minor: 10_000,
      sampleSize: 5,
      asOf: "2026-11-01",
    }),
  ).join("\n");

async function medians(market: MarketPublishing): Promise<number[]> {
  const head = await market.published.head();
  if (head === undefined) return [];
  const values = await contentsAt(market.published, head);
  return [...new Set([...values.values()].map((value) => value.medianMinor))];
}

interface Place {
  inbox: Inbox;
  put: (name: string, text: string) => void;
  /** Everything in it, by path. */
  names: () => string[];
  text: (name: string) => string | undefined;
}

let folders = 0;
function inFolder(): Promise<Place> {
  const here = mkdtempSync(join(folder, `${(folders += 1)}-`));
  return Promise.resolve({
    inbox: new FolderInbox(here),
    put: (name, text) => writeFileSync(join(here, name), text),
    names: () =>
      readdirSync(here, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(here.length + 1))
        .map((name) => (name.includes("/") ? name : `incoming/${name}`))
        .sort(),
    text: (name) => readFileSync(join(here, name.replace(/^incoming\//, "")), "utf8"),
  });
}

async function inBucket(): Promise<Place> {
  const storage = await startStorage();
  storages.push(storage);
  return {
    inbox: new BucketInbox("inbox", storage.endpoint),
    put: (name, text) => storage.put(`incoming/${name}`, text),
    names: storage.names,
    text: storage.text,
  };
}

describe.each([
  ["a folder", inFolder],
  ["a bucket", inBucket],
])("market values that arrive in %s", (_, place) => {
  it("are published in the order of their names, each once", async () => {
    const { inbox, put, names } = await place();
    const { market } = centre();
    put("2026-11-02.ndjson", lines(200));
    put("2026-11-01.ndjson", lines(100));
    const first = await takeMarket(inbox, market);
    expect(first.map((t) => [t.name, t.outcome])).toEqual([
      ["2026-11-01.ndjson", "published"],
      ["2026-11-02.ndjson", "published"],
    ]);
    expect(await medians(market)).toEqual([200]);
    expect(names()).toEqual(["published/2026-11-01.ndjson", "published/2026-11-02.ndjson"]);
    expect(await takeMarket(inbox, market)).toEqual([]);
  });

  it("that are no market values are set aside with the reasons, and the next is published", async () => {
    const { inbox, put, names, text } = await place();
    const { market } = centre();
    put("1.ndjson", `${lines(100)}\n{"marketKey":`);
    put("2.ndjson", lines(100));
    put("3.ndjson", "");
    put("4.ndjson", lines(100, 1));
    put("5.ndjson", "\u00ff\u00fe<html>");
    expect((await takeMarket(inbox, market)).map((t) => t.outcome)).toEqual([
      "refused",
      "published",
      "refused",
      "refused",
      "refused",
    ]);
    expect(names()).toEqual(
      [
        "published/2.ndjson",
        ...[1, 3, 4, 5].flatMap((n) => [`refused/${n}.ndjson`, `refused/${n}.ndjson.reasons.txt`]),
      ].sort(),
    );
    expect(text("refused/1.ndjson.reasons.txt")).toMatch(/line 6: is not valid JSON/);
    expect(text("refused/3.ndjson.reasons.txt")).toMatch(/holds no value/);
    expect(text("refused/4.ndjson.reasons.txt")).toMatch(/4 of 5 .*withdrawn/);
  });

  it("twice under one name: the same is dropped, another is refused, and so is one that would undo a later one", async () => {
    const { inbox, put, names } = await place();
    const { market } = centre();
    put("1.ndjson", lines(100));
    put("3.ndjson", lines(300));
    await takeMarket(inbox, market);
    put("1.ndjson", lines(100));
    put("2.ndjson", lines(200));
    put("3.ndjson", lines(301));
    const again = await takeMarket(inbox, market);
    expect(again.map((t) => t.outcome)).toEqual(["known", "refused", "refused"]);
    expect(await medians(market)).toEqual([300]);
    expect(names().filter((name) => name.startsWith("incoming/"))).toEqual([]);
  });

  it.each<Step>(["read", "published", "kept"])(
    "are taken up where a run died after it had %s one",
    async (at) => {
      const { inbox, put, names } = await place();
      const { market } = centre();
      put("1.ndjson", lines(100));
      put("2.ndjson", lines(200));
      const step = (now: Step, name: string) => {
        if (now === at && name === "1.ndjson") throw new Error("died here");
      };
      await expect(takeMarket(inbox, market, { step })).rejects.toThrow("died here");
      await takeMarket(inbox, market);
      expect(await medians(market)).toEqual([200]);
      expect((await market.published.head())?.sequence).toBe(2);
      expect(names()).toEqual(["published/1.ndjson", "published/2.ndjson"]);
    },
  );

  it("and two runs that take them at once: no older one comes after a later one", async () => {
    const { inbox, put } = await place();
    const { market } = centre();
    for (let n = 1; n <= 5; n += 1) put(`${n}.ndjson`, lines(n * 100));
    await Promise.allSettled([takeMarket(inbox, market), takeMarket(inbox, market)]);
    await takeMarket(inbox, market);
    expect(await medians(market)).toEqual([500]);
    expect((await market.published.head())?.sequence).toBe(5);
  });

  it("are left alone by a run that began earlier and woke up late", async () => {
    const { inbox, put } = await place();
    const { market } = centre();
    put("1.ndjson", lines(100));
    put("2.ndjson", lines(200));
    let others: Promise<unknown> = Promise.resolve();
    const step = async (now: Step, name: string) => {
      if (now !== "read" || name !== "1.ndjson") return;
      others = takeMarket(inbox, market);
      await others;
    };
    const late = await takeMarket(inbox, market, { step });
    expect(late.map((t) => t.outcome)).not.toContain("published");
    expect(await medians(market)).toEqual([200]);
  });
});

describe("the job", () => {
  const job = join(import.meta.dirname, "job.ts");
  const run = (projectId: string, env: Record<string, string>) =>
    spawn(process.execPath, [job], {
      env: {
        PATH: process.env["PATH"],
        CENTRAL_PROJECT: projectId,
        CENTRAL_MARKET_DATABASE: "market",
        FIRESTORE_EMULATOR_HOST: inject("firestoreHost"),
        METADATA_SERVER_DETECTION: "none",
        ...env,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });

  it("killed again and again, wherever it is, ends where an undisturbed one does", async () => {
    const here = mkdtempSync(join(folder, "killed-"));
    const { projectId, market } = centre();
    for (let n = 1; n <= 4; n += 1) writeFileSync(join(here, `${n}.ndjson`), lines(n * 100, 1_200));
    writeFileSync(join(here, "2b.ndjson"), "rubbish");
    // In the middle of the first file, at its end and those of others, and as soon as each is begun.
    for (const sequence of [1, 3, 8]) {
      const child = run(projectId, { MARKET_FOLDER: here });
      const ended = once(child, "exit");
      while (child.exitCode === null && ((await market.published.head())?.sequence ?? 0) < sequence)
        await sleep(2);
      child.kill("SIGKILL");
      await ended;
    }
    const [code] = (await once(run(projectId, { MARKET_FOLDER: here }), "exit")) as [number];
    expect(code).toBe(0);
    expect(await medians(market)).toEqual([400]);
    // 4 files of 3 pages, each page once however often it was begun anew.
    expect((await market.published.head())?.sequence).toBe(12);
    expect(readdirSync(join(here, "published")).sort()).toEqual([1, 2, 3, 4].map((n) => `${n}.ndjson`));
    expect(readdirSync(join(here, "refused")).sort()).toEqual(["2b.ndjson", "2b.ndjson.reasons.txt"]);
  }, 60_000);

  it("rings for a refused one, and for what keeps it from looking", async () => {
    const here = mkdtempSync(join(folder, "rings-"));
    writeFileSync(join(here, "1.ndjson"), "rubbish");
    const { projectId } = centre();
    const child = run(projectId, { MARKET_FOLDER: here });
    const said = (await child.stdout.toArray()).join("");
    expect(JSON.parse(said.split("\n")[0] ?? "")).toMatchObject({
      severity: "ERROR",
      alarm: "market-refused",
      name: "1.ndjson",
    });
    const failing = run(projectId, { MARKET_FOLDER: join(here, "missing") });
    const [lines, [code]] = await Promise.all([failing.stdout.toArray(), once(failing, "exit")]);
    expect(JSON.parse(lines.join(""))).toMatchObject({ severity: "ERROR", alarm: "publisher-failing" });
    expect(code).toBe(1);
  });
});
