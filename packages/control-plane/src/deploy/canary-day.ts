import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Scope } from "@proveniq/contracts";
import { z } from "zod";

/** What the canary's key must be good for. */
export const canaryScopes: readonly Scope[] = ["items:read", "items:write", "imports"];

/** `path`: below the tenant's /v1. */
export interface Question {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  body?: string;
  headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  status: number;
  body: unknown;
}

/** Asks as the canary tenant; rejects unless it is answered well, and in time. */
export type Ask = (question: Question) => Promise<Answer>;

/** A cell's answer that is none of success. */
export class RefusedAnswer extends Error {
  readonly status: number;
  readonly text: string;
  constructor(what: string, status: number, text: string) {
    super(`${what}: ${status} ${text.slice(0, 300)}`);
    this.status = status;
    this.text = text;
  }
}

const marketKey = "diamond:ideal:e:si2:0.20-0.39";
const item = z.object({ id: z.string(), title: z.string(), externalId: z.string().optional() });
const page = z.object({ items: z.array(item) });
const values = z.object({ values: z.array(z.unknown()), missing: z.array(z.string()) });
const job = z.object({
  id: z.string(),
  state: z.string(),
  counts: z.object({ rows: z.int(), failed: z.int(), created: z.int(), changed: z.int() }),
});
/** A queue of a busy cell's imports is waited for so long. */
const importMs = 25_000;
const pollMs = 300;

/** What a partner's system does all day: write, read, change and list things, ask what they and the book are worth, delete. */
export async function writeAndRead(ask: Ask): Promise<void> {
  const title = `Canary ${randomUUID()}`;
  const json = { "content-type": "application/json" };
  const input = { title, category: "other", marketKey };
  const made = item.parse((await ask({ method: "POST", path: "/items", body: JSON.stringify(input) })).body);
  const path = `/items/${made.id}`;
  expectTitle(await ask({ method: "GET", path }), title);
  const changed = `${title}, changed`;
  await ask({ method: "PATCH", path, headers: json, body: JSON.stringify({ title: changed }) });
  expectTitle(await ask({ method: "GET", path }), changed);
  const { items } = page.parse((await ask({ method: "GET", path: "/items" })).body);
  if (!items.some(({ id, title: listed }) => id === made.id && listed === changed))
    throw new Error("GET /items: the newest item is not listed as it was written");
  const keys = JSON.stringify({ keys: [marketKey] });
  const told = values.parse(
    (await ask({ method: "POST", path: "/market-values/batch-get", body: keys })).body,
  );
  if (told.values.length + told.missing.length !== 1)
    throw new Error("POST /market-values/batch-get: one key was asked for, and not one was answered");
  await ask({ method: "GET", path: "/portfolio" });
  await ask({ method: "DELETE", path });
}

/** One thing, imported and deleted again. Nothing where an operator has paused imports: that is no fault of a version. */
export async function importOne(ask: Ask, signal: AbortSignal): Promise<void> {
  const externalId = `canary-${randomUUID()}`;
  const title = `Canary import ${externalId}`;
  try {
    for (const op of ["upsert", "delete"] as const) {
      const row = op === "upsert" ? { op, externalId, title, category: "other" } : { op, externalId };
      const begun = { source: "canary", format: { type: "ndjson" }, expectedRows: 1, undo: false };
      const { id } = job.parse(
        (await ask({ method: "POST", path: "/imports", body: JSON.stringify(begun) })).body,
      );
      await throughImport(ask, id, `${JSON.stringify(row)}\n`, signal);
      if (op === "delete") return;
      const { items } = page.parse((await ask({ method: "GET", path: "/items" })).body);
      if (!items.some((each) => each.externalId === externalId && each.title === title))
        throw new Error("an imported item is not listed as the file has it");
    }
  } catch (error) {
    if (error instanceof RefusedAnswer && error.text.includes('"imports-paused"')) return;
    throw error;
  }
}

async function throughImport(ask: Ask, id: string, rows: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + importMs;
  const digest = createHash("sha256").update(rows).digest("base64");
  const headers = { "content-type": "application/x-ndjson", "content-digest": `sha-256=:${digest}:` };
  const chunk = { path: `/imports/${id}/chunks/1?firstRow=1`, headers, body: rows } as const;
  const complete = { path: `/imports/${id}/complete`, body: JSON.stringify({ chunks: 1, rows: 1 }) } as const;
  const again = async (question: Question): Promise<Answer> => {
    for (;;) {
      const answer = await ask(question);
      if (answer.status !== 202) return answer;
      if (Date.now() > deadline)
        throw new Error(`an import of one row was not done in ${importMs / 1_000} s`);
      await sleep(pollMs, undefined, { signal });
    }
  };
  await again({ method: "PUT", ...chunk });
  const { state, counts } = job.parse((await again({ method: "POST", ...complete })).body);
  if (state !== "completed" || counts.rows !== 1 || counts.failed !== 0)
    throw new Error(
      `an import of one row is ${state}, with ${counts.rows} rows, ${counts.failed} of them refused`,
    );
}

function expectTitle({ body }: Answer, title: string): void {
  if (item.parse(body).title !== title) throw new Error("the cell gave back another item than it took");
}
