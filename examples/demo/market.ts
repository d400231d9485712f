import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type MarketValue, marketValueAnswer, type Portfolio, portfolio } from "@proveniq/contracts";
import { controlClient } from "@proveniq/local-cloud/control";
import type { FleetState } from "@proveniq/local-cloud/fleet";
import { asPage, type Caller, type Client } from "./client.ts";
import { check, heading, say, table } from "./story.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const published = `${root}examples/market/diamonds.ndjson`;

/**
 * What the things in a book are worth, a price that changes in every cell, and a centre that is away. `carrier` has a book
 * of diamonds; `callers` are one in each cell.
 */
export async function marketValues(
  fleet: FleetState,
  client: Client,
  carrier: Caller,
  callers: Readonly<Record<string, Caller>>,
): Promise<void> {
  const stateDir = dirname(fleet.directoryFile);
  heading("What is it worth today?");
  const { items } = asPage(await client.expect(200, carrier, "GET", "/v1/items?limit=100"));
  const valued = items.filter((item) => item.valuation !== undefined).slice(0, 4);
  table(
    ["thing", "insured", "market: median (p10 to p90)", "of", "estimate"],
    valued.map(({ title, insuredValue, valuation }) => [
      title,
      dollars(insuredValue?.amountMinor),
      `${dollars(valuation?.market.medianMinor)} (${dollars(valuation?.market.p10Minor)} to ${dollars(valuation?.market.p90Minor)})`,
      `${valuation?.market.sampleSize ?? 0} prices`,
      dollars(valuation?.estimate.amountMinor),
    ]),
  );
  check(valued.length > 0, "Items come with what they are worth, from their cell's own copy of the market.");
  const book = await portfolioOf(client, carrier);
  const [insured, market] = [book.insured[0]?.amountMinor, book.market[0]?.amountMinor];
  say(
    `Carrier A's portfolio: ${book.items} items insured for ${dollars(insured)}, ` +
      `${((book.marketShare ?? 0) * 100).toFixed(1)} % of them with a market value, ${dollars(market)} in all.`,
  );

  const lines = (await readFile(published, "utf8")).trimEnd().split("\n");
  const key = valued[0]?.marketKey ?? "";
  const raised = lines.map((line) => (line.includes(`"${key}"`) ? JSON.stringify(raise(line)) : line));
  const before = await read(client, carrier, key);
  const { pages } = await publish(raised, stateDir);
  const started = performance.now();
  const seconds = await Promise.all(
    Object.values(callers).map(async (caller) => {
      while ((await read(client, caller, key)).value.medianMinor === before.value.medianMinor)
        await sleep(20);
      return (performance.now() - started) / 1_000;
    }),
  );
  check(
    pages === 1,
    `One price goes up by 10 %: one page is published, and each of ${seconds.length} cells answers with it after ` +
      `${seconds.map((s) => s.toFixed(1)).join(", ")} s.`,
  );

  const central = controlClient(fleet.control).relay("central");
  await central.cut();
  try {
    await sleep(3_000);
    const answers = await Promise.all(Object.values(callers).map((caller) => read(client, caller, key)));
    const ages = answers.map((a) => `${a.replica.ageSeconds} s`);
    check(
      answers.every((a) => a.value.medianMinor !== before.value.medianMinor),
      `The centre is cut off: every cell answers all the same, and says how old its copy is (${ages.join(", ")}).`,
    );
  } finally {
    await central.restore();
  }
  await publish(lines, stateDir);
}

const dollars = (minor: number | null | undefined): string =>
  typeof minor === "number"
    ? (minor / 100).toLocaleString("en-US", { style: "currency", currency: "USD" })
    : "-";

async function read(client: Client, caller: Caller, key: string) {
  return marketValueAnswer.parse((await client.expect(200, caller, "GET", `/v1/market-values/${key}`)).json);
}

/** A large book is counted in the background the first time: asked for again until it is there. */
async function portfolioOf(client: Client, caller: Caller): Promise<Portfolio> {
  for (let tries = 0; tries < 120; tries++) {
    const answer = await client.call(caller, "GET", "/v1/portfolio");
    if (answer.status === 200) return portfolio.parse(answer.json);
    if (tries === 0) say("The book is large: it is being counted in the background …");
    await sleep(Number(answer.headers["retry-after"] ?? 1) * 1_000);
  }
  throw new Error("the portfolio was never counted");
}

function raise(line: string): MarketValue {
  const value = JSON.parse(line) as MarketValue;
  const up = (minor: number) => Math.round(minor * 1.1);
  const { medianMinor, p10Minor, p90Minor } = value;
  return { ...value, medianMinor: up(medianMinor), p10Minor: up(p10Minor), p90Minor: up(p90Minor) };
}

/** As an operator would, with the CLI. */
async function publish(lines: readonly string[], stateDir: string): Promise<{ pages: number }> {
  const args = ["packages/fleet/bin/fleet.mjs", "market", "publish", "-", "--json", "--state-dir", stateDir];
  const printed = await new Promise<string>((resolve, reject) => {
    const child = execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(stderr || stdout, { cause: error })),
    );
    child.stdin?.end(`${lines.join("\n")}\n`);
  });
  return JSON.parse(printed) as { pages: number };
}
