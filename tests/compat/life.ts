import { createHash } from "node:crypto";
import {
  category,
  condition,
  type ItemInput,
  type importMapping,
  item,
  headers as names,
} from "@proveniq/contracts";
import { z } from "zod";
import type { Answer, Call, Desk } from "./callers.ts";

/** A write under an Idempotency-Key, with its answer: made again within a day it is answered the same. */
export const sealedWrite = z.strictObject({
  caller: z.string(),
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.string().optional(),
  status: z.int(),
  answer: z.string(),
});
export type SealedWrite = z.infer<typeof sealedWrite>;

/** An import that is under way, and what it needs to be completed. */
export const openImport = z.strictObject({
  caller: z.string(),
  id: z.string(),
  chunks: z.array(z.strictObject({ n: z.int(), firstRow: z.int(), type: z.string(), text: z.string() })),
  complete: z.looseObject({ chunks: z.int(), rows: z.int() }),
  /** Counts that it must end with. */
  counts: z.record(z.string(), z.int()),
});
export type OpenImport = z.infer<typeof openImport>;

/** What somebody leaves behind for the next version. */
export interface Left {
  sealed: SealedWrite[];
  open: OpenImport[];
}

/** An item with every field there is: a new field does not compile until it is played. */
const fullest = (tag: string): Required<ItemInput> => ({
  title: `Taschenuhr „${tag}“ – 懐中時計 🕰`,
  description: `${"Gehäuse 18 kt, Zifferblatt Email. ".repeat(12)}\nZweite Zeile\t"quoted" \\ end`,
  category: "watch",
  condition: "excellent",
  externalId: `${tag}/fullest №1`,
  marketKey: "stone:1",
  insuredValue: { amountMinor: Number.MAX_SAFE_INTEGER, currency: "JPY" },
  purchasePrice: { amountMinor: 1_234_567, currency: "KWD" },
  acquiredOn: "1899-12-31",
  serialNumber: "SN-0001/ä",
  location: "Tresor 3, Fach B",
  attributes: { carat: 0.23, cut: "Ideal", certified: true, edition: -7, count: 0, tiny: 1.5e-7, note: "ü" },
  ownerId: "owner-7",
});

const partner = "harbour";

/**
 * An hour of some tenants' life, in a second: every way to write there is. `tag`: unlike any other. `mixed`: two versions serve by
 * turns.
 */
export async function live(desk: Desk, tag: string, mixed = false): Promise<Left> {
  const left: Left = { sealed: [], open: [] };
  const write = async (caller: string, call: Call, ...statuses: number[]): Promise<Answer> => {
    const key = `${tag}-${left.sealed.length}`;
    const headers = { "content-type": "application/json", ...call.headers, [names.idempotencyKey]: key };
    const answer = await desk.must(caller, { ...call, headers }, ...statuses);
    const { method, path, body } = call;
    const sealed = { caller, method, path, headers, ...(body === undefined ? {} : { body }) };
    left.sealed.push({ ...sealed, status: answer.status, answer: answer.text });
    return answer;
  };
  const create = async (caller: string, input: ItemInput) => {
    const answer = await write(
      caller,
      { method: "POST", path: "/v1/items", body: JSON.stringify(input) },
      201,
    );
    return { id: item.parse(JSON.parse(answer.text)).id, etag: answer.headers.get("etag") ?? "" };
  };

  const full = await create(partner, fullest(tag));
  const patch = {
    title: "Taschenuhr, geprüft",
    description: null,
    condition: "good",
    insuredValue: { amountMinor: 0, currency: "EUR" },
    attributes: { carat: null, cut: "Good", again: false },
  };
  const headers = { "if-match": full.etag };
  const path = `/v1/items/${full.id}`;
  await write(partner, { method: "PATCH", path, headers, body: JSON.stringify(patch) }, 200);
  for (const [n, kind] of category.options.entries()) {
    const worth = { insuredValue: { amountMinor: 100 * n, currency: "EUR" }, marketKey: `stone:${n}` };
    const kept = condition.options[n % condition.options.length];
    await create(partner, {
      title: `${kind} ${tag}`,
      category: kind,
      ...(n % 2 === 0 ? worth : {}),
      ...(kept === undefined ? {} : { condition: kept }),
    });
  }
  const twice = { title: "Once more", category: "other", externalId: `${tag}-twice` } as const;
  const { id } = await create(partner, twice);
  await write(partner, { method: "DELETE", path: `/v1/items/${id}` }, 204);
  await create(partner, { ...twice, title: "Back again" });
  await create("lindqvist", { ...fullest(tag), ownerId: "owner-7" });
  for (const person of ["alma", "bo", "staff"]) {
    const { ownerId: _, ...own } = fullest(tag);
    await create(person, { title: `Of ${person}`, category: "art" });
    await create(person, person === "staff" ? fullest(`${tag}-staff`) : own);
  }
  await importAll(desk, write, tag, left, mixed);
  return left;
}

/** A few things come and change, in both databases. */
export async function visit(desk: Desk, tag: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  for (const caller of ["harbour", "lindqvist", "alma"]) {
    const { ownerId: _, ...own } = fullest(tag);
    const body = JSON.stringify(own);
    const { text } = await desk.must(caller, { method: "POST", path: "/v1/items", headers, body }, 201);
    const path = `/v1/items/${item.parse(JSON.parse(text)).id}`;
    await desk.must(caller, { method: "PATCH", path, headers, body: '{"category":"other"}' }, 200);
  }
}

type Write = (caller: string, call: Call, ...statuses: number[]) => Promise<Answer>;

const mapping: z.input<typeof importMapping> = {
  fields: {
    externalId: { column: "id" },
    title: { column: "name" },
    category: { constant: "other" },
    insuredValue: {
      column: "worth",
      unit: "major",
      number: { decimal: ".", grouping: "none" },
      currency: { constant: "EUR" },
    },
  },
  attributes: {},
  ignore: [],
};
const csv = { type: "csv", delimiter: ",", columns: ["id", "name", "worth"], header: "first-chunk" } as const;

/** Lines of a CSV file from one number to another, with a header before the first. */
export const lines = (tag: string, from: number, to: number): string =>
  (from === 1 ? "id,name,worth\n" : "") +
  Array.from(
    { length: to - from + 1 },
    (_, n) => `${tag}-${from + n},Thing ${from + n},${from + n}.50\n`,
  ).join("");

export const csvInput = (source: string, more: object = {}) => ({ source, format: csv, mapping, ...more });

/** Put a chunk, again and again while it is worked on. */
export async function putChunk(
  desk: Desk,
  caller: string,
  id: string,
  { n, firstRow, type, text }: OpenImport["chunks"][number],
  ...statuses: number[]
): Promise<Answer> {
  const digest = createHash("sha256").update(text).digest("base64");
  const headers = { "content-type": type, "content-digest": `sha-256=:${digest}:` };
  const path = `/v1/imports/${id}/chunks/${n}?firstRow=${firstRow}`;
  for (;;) {
    const answer = await desk.must(caller, { method: "PUT", path, headers, body: text }, 202, ...statuses);
    if (answer.status !== 202) return answer;
  }
}

/** What an import is asked to put again, by a version that did not see it come in, before it is ended. */
const mostRounds = 40;

/**
 * Go on with an import to its end, as clients do: what is asked for once more is put once more. Answers the counts that differ from
 * what they should be. `mixed`: two versions had a part in it. What one of them wrote, the other finds: only the sums are the same.
 */
export async function complete(
  desk: Desk,
  { caller, id, ...rest }: OpenImport,
  mixed = false,
): Promise<string[]> {
  for (const chunk of rest.chunks) await putChunk(desk, caller, id, chunk, 200);
  const path = `/v1/imports/${id}/complete`;
  const headers = { "content-type": "application/json" };
  const call = { method: "POST", path, headers, body: JSON.stringify(rest.complete) };
  for (let round = 0; round < mostRounds; ) {
    const { status, text } = await desk.must(caller, call, 200, 202, 409);
    if (status === 202) continue;
    if (status === 409) {
      const wanted = refusal.parse(JSON.parse(text)).errors.map(({ path: at }) => Number(at.split("/")[2]));
      for (const chunk of rest.chunks.filter(({ n }) => wanted.includes(n)))
        await putChunk(desk, caller, id, chunk, 200);
      round++;
      continue;
    }
    const { counts, state } = z
      .object({ state: z.string(), counts: z.record(z.string(), z.int()) })
      .parse(JSON.parse(text));
    if (state !== "completed") return [`import ${id} is ${state}`];
    const [wanted, found] = mixed ? [summed(rest.counts), summed(counts)] : [rest.counts, counts];
    return Object.entries(wanted).flatMap(([name, count]) =>
      found[name] === count ? [] : [`import ${id}: ${name} is ${found[name]}, not ${count}`],
    );
  }
  return [`import ${id} is asked for again and again`];
}

const refusal = z.looseObject({
  code: z.literal("import-incomplete"),
  errors: z.array(z.object({ path: z.string() })),
});

/** Things that are as the rows want them, and things that are not there. */
function summed(counts: Record<string, number>): Record<string, number> {
  const { created = 0, changed = 0, unchanged = 0, deleted = 0, absent = 0 } = counts;
  return { there: created + changed + unchanged, gone: deleted + absent };
}

async function importAll(desk: Desk, write: Write, tag: string, left: Left, mixed: boolean): Promise<void> {
  const begin = async (input: object) => {
    const call = { method: "POST", path: "/v1/imports", body: JSON.stringify(input) };
    return z.object({ id: z.string() }).parse(JSON.parse((await write(partner, call, 201)).text)).id;
  };
  const chunk = (n: number, firstRow: number, text: string, type = "text/csv") => ({
    n,
    firstRow,
    type,
    text,
  });
  const sent = new Map<string, OpenImport["chunks"]>();
  const put = (id: string, ...args: Parameters<typeof chunk>) => {
    sent.set(id, [...(sent.get(id) ?? []), chunk(...args)]);
    return putChunk(desk, partner, id, chunk(...args), 200);
  };
  const end = async (id: string, rows: number, counts: Record<string, number>, more: object = {}) => {
    const chunks = rows === 0 ? 0 : rows > 10 ? 2 : 1;
    const parts = { chunks: sent.get(id) ?? [], complete: { chunks, rows, ...more } };
    const wrong = await complete(desk, { caller: partner, id, ...parts, counts }, mixed);
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
  };

  // Left open: one chunk in, one to come. The next version completes it.
  const open = await begin(csvInput(`open-${tag}`));
  await put(open, 1, 1, lines(`${tag}-open`, 1, 6));
  left.open.push({
    caller: partner,
    id: open,
    chunks: [chunk(1, 1, lines(`${tag}-open`, 1, 6)), chunk(2, 7, lines(`${tag}-open`, 7, 12))],
    complete: { chunks: 2, rows: 12 },
    counts: { rows: 12, created: 12, failed: 0 },
  });

  const policies = await begin(csvInput(`policies-${tag}`, { fileName: "Policen.csv", expectedRows: 16 }));
  const odd = `${tag}-p-3,Named twice,9\n${tag}-p-14,,not a price\n\n`;
  await put(policies, 2, 9, lines(`${tag}-p`, 9, 13) + odd);
  await put(policies, 1, 1, lines(`${tag}-p`, 1, 8));
  await end(policies, 15, { rows: 15, created: 13, failed: 1 });

  const plain = await begin({ source: `plain-${tag}`, format: { type: "ndjson" } });
  const upsert = { ...fullest(`${tag}-n`), op: "upsert" };
  const ndjson = [
    upsert,
    { op: "delete", externalId: `${tag}-p-1` },
    { op: "delete", externalId: `${tag}-no` },
  ];
  await put(plain, 1, 1, `${ndjson.map((row) => JSON.stringify(row)).join("\n")}\n`, "application/x-ndjson");
  await end(plain, 3, { created: 1, deleted: 1, absent: 1 });

  const nightly = { scope: "full", maxDeletePercent: 10 };
  const night = await begin(csvInput(`nightly-${tag}`, nightly));
  await put(night, 1, 1, lines(`${tag}-f`, 1, 10));
  await end(night, 10, { created: 10 });
  // Superseded by the next, which also leaves tombstones: an older import is open.
  await begin(csvInput(`nightly-${tag}`, nightly));
  const next = await begin(csvInput(`nightly-${tag}`, nightly));
  await put(next, 1, 1, lines(`${tag}-f`, 1, 7));
  await end(next, 7, { unchanged: 7, deleted: 3 }, { confirmDeletes: 3 });

  const cancelled = await begin(csvInput(`cancelled-${tag}`));
  await put(cancelled, 1, 1, lines(`${tag}-c`, 1, 2));
  await desk.must(partner, { method: "DELETE", path: `/v1/imports/${cancelled}` }, 200);
  const dry = await begin(csvInput(`dry-${tag}`, { dryRun: true }));
  await put(dry, 1, 1, lines(`${tag}-d`, 1, 3));
  await end(dry, 3, { valid: 3 });
  const stopped = await begin(csvInput(`stopped-${tag}`, { maxErrors: 0 }));
  const bad = `${lines(`${tag}-s`, 1, 1)}${tag}-s-2,,\n`;
  await putChunk(desk, partner, stopped, chunk(1, 1, bad), 409);
}

/** Make every write again: each must be answered as it was, and say that it is a repetition. What differs. */
export async function repeat(desk: Desk, sealed: readonly SealedWrite[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { caller, status, answer, ...call } of sealed) {
    const again = await desk.call(caller, call);
    const replayed = again.headers.get(names.idempotencyReplayed) === "true";
    if (again.status === status && again.text === answer && replayed) continue;
    const how = replayed ? "" : "not as a repetition, ";
    wrong.push(
      `${caller}: ${call.method} ${call.path} is answered ${how}${again.status} ${again.text.slice(0, 200)}`,
    );
  }
  return wrong;
}
