// `npm run demo`: what carriers, partners and consumers do with a running fleet, told with figures.
import { mintLocalToken } from "@proveniq/local-cloud/fleet";
import { z } from "zod";
import { globalView } from "./analytics.ts";
import { artworks, stones } from "./books.ts";
import { asItem, asPage, type Caller, Client, inParallel } from "./client.ts";
import { holdings } from "./databases.ts";
import { hostOf, quick, runningFleet } from "./fleet.ts";
import { importBooks } from "./import.ts";
import { marketValues } from "./market.ts";
import { check, heading, say, table } from "./story.ts";

const counts = { stones: 400, artworks: 300 };
const run = `demo-${Date.now().toString(36)}`;

try {
  await demo();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function demo(): Promise<void> {
  const fleet = await runningFleet();
  const client = new Client(fleet.router);
  const started = performance.now();
  const partnerOn = (host: string, tenant: string): Caller => ({
    host: hostOf(fleet, host),
    authorization: `Bearer ${fleet.identity.keys[tenant]}`,
  });
  const carrier = partnerOn("carrier-a.proveniq.io", "carrier-a");
  const partner = partnerOn("eu.proveniq.io", "atelier-nord");
  const consumer = async (subject: string): Promise<Caller> => ({
    host: hostOf(fleet, "api.proveniq.io"),
    authorization: `Bearer ${await mintLocalToken(fleet, { subject, cell: "consumer" })}`,
  });
  const [alice, bob] = [await consumer("alice"), await consumer("bob")];

  heading("Three callers, three cells, one router");
  const cellOf = async (caller: Caller) =>
    z
      .object({ id: z.string(), region: z.string() })
      .parse((await client.expect(200, caller, "GET", "/v1/cell")).json);
  const callers = {
    "Carrier A": carrier,
    "Atelier Nord (EU)": partner,
    "Alice, a consumer": alice,
  };
  const rows = await Promise.all(
    Object.entries(callers).map(async ([name, caller]) => {
      const cell = await cellOf(caller);
      return [name, caller.host, cell.id, cell.region];
    }),
  );
  table(["who", "calls", "is served by cell", "in"], rows);

  heading("Real things go in");
  await register(client, carrier, "Carrier A registers diamonds", await stones(counts.stones));
  await register(client, partner, "Atelier Nord registers artworks", await artworks(counts.artworks));
  const [ring, watch] = [
    {
      title: "Grandmother's ring",
      category: "jewellery",
      insuredValue: { amountMinor: 180_000, currency: "USD" },
    },
    { title: "Diver's watch", category: "watch", condition: "good" },
  ];
  await client.expect(201, alice, "POST", "/v1/items", { body: ring });
  await client.expect(201, bob, "POST", "/v1/items", { body: watch });
  say("Alice and Bob register a ring and a watch; they named no tenant and are consumers of Cell 0.");

  heading("… and come out again");
  const first = asPage(await client.expect(200, carrier, "GET", "/v1/items?limit=100"));
  const second = asPage(
    await client.expect(200, carrier, "GET", `/v1/items?limit=100&cursor=${first.nextCursor}`),
  );
  check(
    new Set([...first.items, ...second.items].map((i) => i.id)).size === 200,
    "Two pages of Carrier A's book: 200 different stones.",
  );
  const [stone] = first.items;
  if (stone === undefined) throw new Error("Carrier A's book is empty");
  const sameGrade = asPage(
    await client.expect(200, carrier, "GET", `/v1/items?marketKey=${stone.marketKey}`),
  );
  check(
    sameGrade.items.every((i) => i.marketKey === stone.marketKey),
    `${sameGrade.items.length} stone(s) of grade ${stone.marketKey}.`,
  );
  const alices = asPage(await client.expect(200, alice, "GET", "/v1/items"));
  check(
    alices.items.every((i) => i.ownerId === "alice"),
    `Alice sees ${alices.items.length} item(s), all hers.`,
  );

  heading("Nobody overwrites what they have not seen");
  const path = `/v1/items/${stone.id}`;
  const read = await client.expect(200, carrier, "GET", path);
  const tag = String(read.headers["etag"]);
  const patched = await client.expect(200, carrier, "PATCH", path, {
    body: { condition: "excellent" },
    headers: { "if-match": tag },
  });
  say(
    `Patched with If-Match: ${tag} → version ${asItem(patched).version}, ETag ${String(patched.headers["etag"])}.`,
  );
  await client.expect(412, carrier, "PATCH", path, {
    body: { condition: "poor" },
    headers: { "if-match": tag },
  });
  say("The same ETag once more: 412, nothing changed.");
  const again = { body: { title: "Sent twice", category: "other" }, headers: { "idempotency-key": run } };
  const once = asItem(await client.expect(201, carrier, "POST", "/v1/items", again));
  const twice = await client.expect(201, carrier, "POST", "/v1/items", again);
  check(
    asItem(twice).id === once.id && twice.headers["idempotency-replayed"] === "true",
    "A create sent twice with one Idempotency-Key: one item, the answer replayed.",
  );

  heading("Everybody stays where they belong");
  const wrongHost = { ...partner, host: hostOf(fleet, "api.proveniq.io") };
  await client.expect(421, wrongHost, "GET", "/v1/items");
  say("Atelier Nord on the global host: 421, its data is served in the EU only.");
  await client.expect(404, bob, "GET", `/v1/items/${alices.items[0]?.id}`);
  say("Bob asks for Alice's ring by its id: 404, as if it did not exist.");
  const held = await holdings(fleet);
  table(
    ["cell", "database", "tenant", "items in it"],
    held.map((h) => [h.cell, h.database, h.tenant, String(h.items)]),
  );
  const expected: Record<string, string> = {
    "carrier-a": "enterprise-a",
    "atelier-nord": "eu",
    consumers: "consumer",
  };
  check(
    held.every((h) => h.items === 0 || (expected[h.tenant] ?? h.cell) === h.cell),
    "Asked directly, each database holds its own cell's tenants and nobody else's.",
  );
  await importBooks(fleet, quick ? 3_000 : undefined);
  await marketValues(fleet, client, carrier, callers);
  if (quick) say("\nThe global view over all cells is left out (--quick).");
  else await globalView(fleet, client);
  await client.close();
  say(`\nDone in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
}

async function register(client: Client, caller: Caller, what: string, things: unknown[]): Promise<void> {
  const started = performance.now();
  const answers = await inParallel(things, 12, (body) => client.call(caller, "POST", "/v1/items", { body }));
  const seconds = (performance.now() - started) / 1000;
  const created = answers.filter((a) => a.status === 201).length;
  const known = answers.filter((a) => a.status === 409).length;
  const times = answers.map((a) => a.ms).sort((a, b) => a - b);
  const p = (q: number) => (times[Math.floor(times.length * q)] ?? 0).toFixed(0);
  check(
    created + known === things.length,
    `${what}: ${created} created${known > 0 ? `, ${known} were there already` : ""}, ${(things.length / seconds).toFixed(0)}/s, p50 ${p(0.5)} ms, p95 ${p(0.95)} ms.`,
  );
}
