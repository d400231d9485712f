import type { ItemInput } from "@proveniq/contracts";
import type { FleetState } from "@proveniq/local-cloud/fleet";
import type { Palette } from "./colour.ts";
import { table } from "./table.ts";

/** What is where, and what to type next. */
export function banner(state: FleetState, seconds: number, paint: Palette): string {
  const cells = Object.entries(state.cells).map(([id, cell]) => [
    id,
    cell.api,
    `Firestore ${cell.relay} (${cell.databases.join(", ")})`,
  ]);
  const hosts = Object.entries(state.hosts).map(([host, url]) => [host, url]);
  return [
    "",
    `${paint.green("Ready")} in ${seconds.toFixed(1)} s. Ctrl-C stops everything; logs are in .fleet/logs.`,
    "",
    paint.bold("Router"),
    table([["every host below", state.router], ...hosts], "  "),
    paint.bold("Cells"),
    table(cells, "  "),
    paint.bold("For tests and operators"),
    table(
      [
        ["control endpoint", `${state.control}/relays`],
        ["central Firestore", `${state.central.relay} (${state.central.database})`],
      ],
      "  ",
    ),
    "",
    paint.bold("Try it"),
    tryIt(state),
    "",
    "Data is in memory and gone when the fleet stops.",
    "",
  ].join("\n");
}

/** A command that works when pasted: as a carrier where its cell runs, else as a consumer. */
export function tryIt(state: FleetState): string {
  const carrier = Object.hasOwn(state.cells, "enterprise-a");
  const who = carrier
    ? `-H 'authorization: Bearer ${state.credential}' -H 'x-tenant-id: carrier-a'`
    : `-H 'authorization: Bearer ${state.credential}.you'`;
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
