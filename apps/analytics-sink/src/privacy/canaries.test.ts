import { createHash, createSecretKey, randomBytes } from "node:crypto";
import { warehouseTable } from "@proveniq/contracts/warehouse";
import { beforeAll, describe, expect, test } from "vitest";
import { type AnonymiseContext, anonymise, readPage } from "../anonymise/index.ts";
import { encodeRows } from "../encode/index.ts";
import { tellable } from "../log.ts";
import { backwards, CanaryWatch } from "../testing/canaries.ts";

// A canary in every leaf and every key of what a cell puts into its outbox, and in fields that do not exist yet.
const day = "2026-11-23";
const context: AnonymiseContext = {
  cell: "eu",
  region: "europe-west1",
  planned: day,
  keys: new Map([[day, createSecretKey(randomBytes(32))]]),
  counts: () => true,
};
const secrets = new Set<string>();
const canary = (what: string) => {
  const secret = `${what}${randomBytes(9).toString("hex")}`;
  secrets.add(secret);
  return secret;
};

function poisonedFacts(): object {
  return {
    ownerId: canary("owner"),
    category: canary("category"),
    condition: canary("condition"),
    marketKey: canary("market"),
    insuredValue: { amountMinor: 4_815_162_342, currency: canary("XX") },
    title: canary("title"),
    [canary("key")]: canary("value"),
  };
}

const page = {
  writeId: canary("write"),
  tenantId: canary("tenant"),
  epoch: 1,
  [canary("key")]: { [canary("key")]: [canary("value")] },
  events: Array.from({ length: 40 }, () => ({
    id: canary("event"),
    type: canary("type"),
    tenantId: canary("tenant"),
    epoch: 1,
    itemId: canary("item"),
    actor: { kind: canary("kind"), id: canary("actor") },
    via: canary("via"),
    occurredAt: `${day}T10:11:12.345Z`,
    changed: [canary("changed")],
    before: poisonedFacts(),
    after: poisonedFacts(),
    deltas: { items: 0, insuredMinor: { [canary("USD")]: 4_815_162_342 } },
    [canary("key")]: canary("value"),
  })),
};
const bytes = Buffer.from(JSON.stringify(page));
let watch: CanaryWatch;
let rows: ReturnType<typeof anonymise>;
beforeAll(() => {
  watch = new CanaryWatch(secrets);
  rows = anonymise(readPage(bytes), context);
});

/** All that would be sent: rows as JSON, and as the bytes on the wire. */
function sent({ events, people }: ReturnType<typeof anonymise>): [string, string | Uint8Array][] {
  return [
    ["rows", JSON.stringify({ events, people })],
    ["events on the wire", Buffer.concat(encodeRows(warehouseTable("raw", "events"), events))],
    ["people on the wire", Buffer.concat(encodeRows(warehouseTable("raw", "people"), people))],
  ];
}

test("no canary is in anything that is sent, in any form", () => {
  expect(secrets.size).toBeGreaterThan(600);
  expect(rows.events.length).toBeGreaterThanOrEqual(40);
  expect(sent(rows).flatMap(([where, content]) => watch.search(where, content))).toEqual([]);
});

test("neither is the exact value, nor the time of day", () => {
  for (const [, content] of sent(rows)) {
    const text = typeof content === "string" ? content : Buffer.from(content).toString("latin1");
    expect(text).not.toMatch(/4815162342|48151623|10:11|T10/);
  }
});

test("nor is one in the error of a page that cannot be read, whatever is wrong with it", () => {
  const broken: unknown[] = [
    page.writeId,
    { ...page, events: page.writeId },
    { events: [{ ...page.events[0], [canary("key")]: 1, before: null, after: null }] },
    { events: [{ ...page.events[0], before: { ...poisonedFacts(), insuredValue: canary("money") } }] },
    { events: [{ ...page.events[0], occurredAt: canary("time") }] },
    { events: { [canary("key")]: page.events } },
  ];
  const all = new CanaryWatch(secrets);
  const contents = [
    ...broken.map((b) => Buffer.from(JSON.stringify(b))),
    bytes.subarray(0, 700),
    Buffer.concat([bytes, bytes]),
  ];
  for (const content of contents) {
    const error = attempt(content);
    expect(error).toBeInstanceOf(Error);
    const told =
      JSON.stringify(tellable(error)) + String(error) + (error instanceof Error ? error.message : "");
    expect(all.search("error", told)).toEqual([]);
  }
});

function attempt(content: Uint8Array): unknown {
  try {
    return readPage(content);
  } catch (error) {
    return error;
  }
}

describe("planted leaks are caught", () => {
  const first = page.events[0] as (typeof page.events)[number];
  const facts = first.after as { ownerId: string; title: string };
  const leaks: [string, () => string | Uint8Array][] = [
    ["an id as it is", () => JSON.stringify({ ...rows.events[0], row_id: first.id })],
    ["an owner in upper case", () => `error: ${facts.ownerId.toUpperCase()} not found`],
    ["a title backwards", () => backwards(facts.title)],
    ["a tenant in hex", () => Buffer.from(page.tenantId).toString("hex")],
    ["an actor in base64", () => Buffer.from(first.actor.id).toString("base64")],
    ["a hash without a key", () => createHash("sha256").update(facts.ownerId).digest("hex")],
    [
      "a short hash, base64url",
      () => createHash("sha1").update(first.itemId).digest("base64url").slice(0, 22),
    ],
    ["a key of a free map", () => Buffer.from(Object.keys(first).at(-1) ?? "")],
    [
      "bytes in the middle of a message",
      () => Buffer.concat([randomBytes(40), Buffer.from(facts.ownerId), randomBytes(40)]),
    ],
  ];
  test.each(leaks)("%s", (_, leak) => {
    expect(watch.search("leak", leak()).length).toBeGreaterThan(0);
  });
});
