import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ItemInput } from "@proveniq/contracts";
import { type FleetState, mintLocalToken } from "@proveniq/local-cloud/fleet";
import { artworks, stones } from "./books.ts";
import { type Caller, type Client, inParallel } from "./client.ts";
import { hostOf } from "./fleet.ts";
import { check, heading, say } from "./story.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const people = { consumers: 40, policyholders: 30 };

/**
 * The one view over all cells: people in each of them register things, their events cross as anonymous rows, and what
 * is large and mixed enough is published.
 */
export async function globalView(fleet: FleetState, client: Client): Promise<void> {
  const fleetCli = (...args: string[]) => run(args, dirname(fleet.directoryFile));
  heading("The global view, in which nobody can be recognised");

  const paintings = (await artworks(people.consumers + people.policyholders)).map((thing, n) =>
    insured(thing, 100_000 + (n % 10) * 10_000, "USD"),
  );
  const rings = (await stones(people.consumers + people.policyholders)).map((thing) =>
    insured(thing, thing.insuredValue?.amountMinor ?? 32_600, "EUR"),
  );
  await Promise.all([
    byConsumers(fleet, client, "api.proveniq.io", "consumer", paintings.slice(0, people.consumers)),
    byPartner(fleet, client, "carrier-a.proveniq.io", "carrier-a", paintings.slice(people.consumers)),
    byConsumers(fleet, client, "eu.proveniq.io", "eu", rings.slice(0, people.consumers)),
    byPartner(fleet, client, "nordic-mutual.proveniq.io", "nordic-mutual", rings.slice(people.consumers)),
  ]);
  say(
    `${2 * people.consumers} consumers in two cells, and ${2 * people.policyholders} policyholders of two carriers, register a thing each.`,
  );

  const cells = await settled(fleetCli);
  const sum = (name: "delivered" | "arrived" | "waiting") => cells.reduce((all, c) => all + c[name], 0);
  check(
    cells.every((c) => c.faults.length === 0) && sum("delivered") === sum("arrived"),
    `${cells.length} cells delivered ${sum("delivered")} events to the warehouse, ${sum("arrived")} arrived: none lost, none twice.`,
  );
  const published = JSON.parse(await fleetCli("publish", "--open-day", "--json")) as { groups: number };
  check(
    published.groups > 0,
    `${published.groups} groups cross into the global view, as sums with noise; others are too small or mostly one tenant's: ` +
      "a carrier's own book stays its own.",
  );
  say("");
  for (const line of (await fleetCli("report")).trimEnd().split("\n")) say(line);
}

/** Without the partner's own id: the same thing may be registered by several. */
function insured(
  { title, category, marketKey }: ItemInput,
  amountMinor: number,
  currency: string,
): ItemInput {
  return {
    title,
    category,
    ...(marketKey === undefined ? {} : { marketKey }),
    insuredValue: { amountMinor, currency },
  };
}

async function byConsumers(
  fleet: FleetState,
  client: Client,
  host: string,
  cell: string,
  things: ItemInput[],
) {
  await inParallel([...things.entries()], 8, async ([n, body]) => {
    const token = await mintLocalToken(fleet, { subject: `visitor-${n}`, cell });
    const caller: Caller = { host: hostOf(fleet, host), authorization: `Bearer ${token}` };
    await client.expect(201, caller, "POST", "/v1/items", { body });
  });
}

async function byPartner(
  fleet: FleetState,
  client: Client,
  host: string,
  tenant: string,
  things: ItemInput[],
) {
  const caller: Caller = {
    host: hostOf(fleet, host),
    authorization: `Bearer ${fleet.identity.keys[tenant]}`,
  };
  await inParallel([...things.entries()], 8, async ([n, thing]) => {
    await client.expect(201, caller, "POST", "/v1/items", { body: { ...thing, ownerId: `holder-${n}` } });
  });
}

interface Reconciled {
  delivered: number;
  arrived: number;
  waiting: number;
  faults: string[];
}

/** What `fleet analytics reconcile` says once nothing waits any more. */
async function settled(fleetCli: (...args: string[]) => Promise<string>): Promise<Reconciled[]> {
  for (let tries = 0; tries < 60; tries++) {
    const { cells } = JSON.parse(await fleetCli("reconcile", "--json")) as { cells: Reconciled[] };
    if (cells.every((c) => c.waiting === 0 && c.delivered === c.arrived)) return cells;
    await sleep(500);
  }
  throw new Error("the outboxes did not drain: look at sink-*.log in .fleet/logs");
}

/** As an operator would, with the CLI. */
async function run(args: readonly string[], stateDir: string): Promise<string> {
  const command = ["packages/fleet/bin/fleet.mjs", "analytics", ...args, "--state-dir", stateDir];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: root });
  return stdout;
}
