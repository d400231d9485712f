// Prints market values as `fleet market publish -` reads them: one JSON object on each line.
//   node examples/market/main.ts [--as-of 2026-11-01]
import { parseArgs } from "node:util";
import { day } from "@proveniq/contracts";
import { diamonds } from "./diamonds.ts";
import { valuesOf } from "./values.ts";

const { values: given } = parseArgs({ options: { "as-of": { type: "string", default: "2026-11-01" } } });
const asOf = day.safeParse(given["as-of"]);
if (asOf.success) {
  const lines = valuesOf(await diamonds(), asOf.data).map((value) => JSON.stringify(value));
  process.stdout.write(`${lines.join("\n")}\n`);
} else {
  console.error("--as-of must be a day such as 2026-11-01");
  process.exitCode = 1;
}
