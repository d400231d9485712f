import { z } from "zod";
import type { Desk } from "./callers.ts";

const json = z.record(z.string(), z.unknown());
const page = z.object({ nextCursor: z.string().optional() });
const itemPage = z.object({ ...page.shape, items: z.array(z.looseObject({ id: z.string() })) });
const importPage = z.object({
  ...page.shape,
  imports: z.array(
    z.looseObject({ id: z.string(), counts: z.looseObject({ failed: z.int(), warnings: z.int() }) }),
  ),
});
const me = z.object({
  kind: z.string(),
  id: z.string(),
  ownerId: z.string().optional(),
  scopes: z.array(z.string()),
  quota: z.object({ requestsPerSecond: z.number() }),
});

const refused = z.strictObject({ status: z.int(), code: z.string() });

/** What one caller sees of a cell. What depends on the hour, and what is only worded from the rest, is left out. */
export const sight = z.union([
  z.strictObject({ refused }),
  z.strictObject({
    me,
    /** What changing a thing that is not there comes to: how the claim is read. */
    write: refused,
    items: z.record(z.string(), json).optional(),
    imports: z.record(z.string(), z.strictObject({ job: json, report: z.array(json) })).optional(),
    holdings: json.optional(),
  }),
]);
export type Sight = z.infer<typeof sight>;
type Admitted = Exclude<Sight, { refused: unknown }>;
export type Sights = Record<string, Sight>;

/** All that the callers can see; the book of a tenant once. Throws, with the answer, when something cannot be read that should be. */
export async function look(desk: Desk): Promise<Sights> {
  const seen: Sights = {};
  const books = new Set<string>();
  for (const name of desk.names) {
    const first = await desk.call(name, { method: "GET", path: "/v1/me" });
    if (first.status !== 200) {
      seen[name] = { refused: { status: first.status, code: codeOf(first.text) } };
      continue;
    }
    const who = me.parse(JSON.parse(first.text));
    const nowhere = { method: "PATCH", path: "/v1/items/NoSuchThingNoSuchThi", body: '{"title":"x"}' };
    const denied = await desk.call(name, { ...nowhere, headers: { "content-type": "application/json" } });
    const admitted: Admitted = { me: who, write: { status: denied.status, code: codeOf(denied.text) } };
    const tenant = desk.tenantOf(name);
    if (who.ownerId !== undefined || !books.has(tenant)) {
      if (who.ownerId === undefined) books.add(tenant);
      admitted.items = await itemsOf(desk, name);
      const holdings = json.parse(JSON.parse(await read(desk, name, "/v1/portfolio")));
      admitted.holdings = { items: holdings["items"], insured: holdings["insured"] };
      if (who.scopes.includes("imports")) admitted.imports = await importsOf(desk, name);
    }
    seen[name] = admitted;
  }
  return seen;
}

async function itemsOf(desk: Desk, name: string): Promise<NonNullable<Admitted["items"]>> {
  // What a thing is worth comes from market values, which are looked at by themselves.
  const kept = (shown: Record<string, unknown>) => {
    const { valuation: _, ...item } = shown;
    return item;
  };
  const listed = await all(desk, name, "/v1/items", itemPage, (found) => found.items);
  const [first] = listed.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (first !== undefined) {
    const one = json.parse(JSON.parse(await read(desk, name, `/v1/items/${first.id}`)));
    const differing = lost(kept(first), kept(one));
    if (differing.length > 0)
      throw new Error(`an item is another when it is read alone: ${differing.join("; ")}`);
  }
  return Object.fromEntries(listed.map((item) => [item.id, kept(item)]));
}

async function importsOf(desk: Desk, name: string): Promise<NonNullable<Admitted["imports"]>> {
  const shown: NonNullable<Admitted["imports"]> = {};
  for (const listed of await all(desk, name, "/v1/imports", importPage, (found) => found.imports)) {
    const { pace: _, summary: __, ...job } = listed;
    const { failed, warnings } = listed.counts;
    const report: Record<string, unknown>[] = [];
    if (failed + warnings > 0) {
      const path = `/v1/imports/${job.id}`;
      const lines = (await read(desk, name, `${path}/errors.ndjson`)).split("\n").filter((l) => l !== "");
      report.push(...lines.map((line) => json.parse(JSON.parse(line))));
      await read(desk, name, `${path}/errors.csv`);
    }
    shown[job.id] = { job, report };
  }
  return shown;
}

async function read(desk: Desk, name: string, path: string): Promise<string> {
  return (await desk.must(name, { method: "GET", path }, 200)).text;
}

/** Every entry of a list, page by page. */
async function all<P extends z.infer<typeof page>, T>(
  desk: Desk,
  name: string,
  path: string,
  schema: z.ZodType<P>,
  entries: (found: P) => T[],
): Promise<T[]> {
  const found: T[] = [];
  for (let query: string | undefined = ""; query !== undefined; ) {
    const next: P = schema.parse(JSON.parse(await read(desk, name, path + query)));
    found.push(...entries(next));
    query = next.nextCursor === undefined ? undefined : `?cursor=${encodeURIComponent(next.nextCursor)}`;
  }
  return found;
}

function codeOf(text: string): string {
  return z.object({ code: z.string() }).parse(JSON.parse(text)).code;
}

/** Where what is there is less than what was, as paths with both values. More is not less: a newer version may tell more. */
export function lost(was: unknown, is: unknown, path = ""): string[] {
  if (typeof was !== "object" || was === null || typeof is !== "object" || is === null) {
    return Object.is(was, is) ? [] : [`${path} was ${brief(was)}, is ${brief(is)}`];
  }
  if (Array.isArray(was) && Array.isArray(is) && was.length !== is.length) {
    return [`${path} had ${was.length} entries, has ${is.length}`];
  }
  const now = new Map<string, unknown>(Object.entries(is));
  return Object.entries(was).flatMap(([key, value]) => lost(value, now.get(key), `${path}/${key}`));
}

function brief(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 120);
}
