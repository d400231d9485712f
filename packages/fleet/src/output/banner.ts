import type { ItemInput } from "@proveniq/contracts";
import type { FleetState } from "@proveniq/local-cloud/fleet";
import type { Palette } from "./colour.ts";
import { table } from "./table.ts";

/** What is where, and what to type next. */
export function banner(state: FleetState, seconds: number, paint: Palette): string {
  const cells = Object.entries(state.cells).map(([id, cell]) => [
    id,
    cell.api,
    `Firestore ${cell.relay}: ${cell.databases.join(", ")}`,
  ]);
  const hosts = Object.entries(state.hosts).map(([host, url]) => [host, url]);
  return [
    "",
    `${paint.green("Ready")} in ${seconds.toFixed(1)} s. Ctrl-C, or npx fleet down, stops everything; logs are in .fleet/logs.`,
    "",
    paint.bold("Router"),
    table([["every host below", state.router], ...hosts], "  "),
    paint.bold("Cells"),
    table(cells, "  "),
    paint.bold(
      "Keys, the same at each start, and where each works from code (people: npx fleet token --help)",
    ),
    table(
      Object.entries(state.identity.keys).map(([tenant, key]) => [
        tenant,
        key,
        state.identity.addresses[tenant] ?? state.router,
      ]),
      "  ",
    ),
    paint.bold("For tests and operators"),
    table(
      [
        ["issuer of tokens", `${state.identity.issuer}/jwks.json`],
        ["warehouse", `${state.warehouse.rest} (stands in for BigQuery)`],
        ["control endpoint", `${state.control}/relays`],
        ["central Firestore", `${state.central.relay}: ${state.central.database}`],
      ],
      "  ",
    ),
    "",
    paint.bold("Try it"),
    tryIt(state),
    "",
    "Data is saved when the fleet stops and every five minutes; `npx fleet up --fresh` begins empty.",
    "",
  ].join("\n");
}

/** A command that works when pasted: as a carrier where its cell runs, else as a consumer. */
export function tryIt(state: FleetState): string {
  const key = state.identity.keys["carrier-a"];
  const who =
    key === undefined
      ? '-H "authorization: Bearer $(npx fleet token --as you)"'
      : `-H 'authorization: Bearer ${key}'`;
  const stone: ItemInput = {
    title: "Round brilliant, 0.23 ct",
    category: "jewellery",
    insuredValue: { amountMinor: 32_600, currency: "USD" },
  };
  const item = JSON.stringify(stone);
  return [
    `  curl -sS ${state.router}/v1/items ${who} \\`,
    `    -H 'content-type: application/json' -d '${item}'`,
    `  curl -sS ${state.router}/v1/items ${who}`,
  ].join("\n");
}
