import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { type Hunt, isHunt } from "./hunt.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const names = readdirSync(folder).filter((name) => existsSync(`${folder}${name}/index.ts`));

const common = {
  seed: { type: "string", default: "1" },
  schedules: { type: "string", default: "1000" },
  only: { type: "string" },
  seconds: { type: "string", default: "1500" },
  enough: { type: "string", default: "5" },
  help: { type: "boolean", default: false },
} as const satisfies ParseArgsOptionsConfig;

const help: Readonly<Record<keyof typeof common, string>> = {
  seed: "what chance begins with (1)",
  schedules: "how many to play, from number 0 on (1000)",
  only: "play this one alone: N, or a range N-M",
  seconds: "begin none after so long (1500)",
  enough: "stop once so many violations are known (5)",
  help: "this",
};

async function load(name: string): Promise<Hunt> {
  const module: { hunt?: unknown } = await import(pathToFileURL(`${folder}${name}/index.ts`).href);
  if (!isHunt(module.hunt)) throw new Error(`tests/hunt/${name}/index.ts must export a hunt`);
  return module.hunt;
}

function numberOf(option: string, text: string): number {
  if (!/^[0-9]{1,15}$/.test(text))
    throw new Error(`--${option} must be a whole number, such as 7; "${text}" is none`);
  return Number(text);
}

/** `npm run hunt` lists; `npm run hunt -- NAME [options]` hunts. The last line printed is the figures; 1 when a rule did not hold. */
async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined || !names.includes(name)) {
    if (name !== undefined && name !== "--help") {
      console.error(`There is no hunt "${name}".`);
      process.exitCode = 1;
    }
    console.log("Hunts (npm run hunt -- NAME --seed N --schedules M):");
    for (const known of names) console.log(`  ${known.padEnd(12)}${(await load(known)).description}`);
    return;
  }
  const hunt = await load(name);
  const { values } = parseArgs({ args: [...args], options: { ...hunt.options, ...common } });
  if (values.help) {
    console.log(`${name}: ${hunt.description}\n`);
    for (const [option, line] of Object.entries({ ...help, ...hunt.help }))
      console.log(`  --${option.padEnd(12)}${line}`);
    return;
  }
  const seed = numberOf("seed", values.seed);
  const [first, last] = (values.only ?? "").split("-");
  const from = first === undefined || first === "" ? 0 : numberOf("only", first);
  const count =
    values.only === undefined
      ? numberOf("schedules", values.schedules)
      : last === undefined
        ? 1
        : numberOf("only", last) - from + 1;
  const startedAt = performance.now();
  const result = await hunt.run({
    seed,
    first: from,
    count,
    deadline: startedAt + numberOf("seconds", values.seconds) * 1_000,
    enough: numberOf("enough", values.enough),
    options: values,
    progress: (line) => console.log(line),
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const { schedule, what } of result.violations) {
    console.log(`\nViolation: ${what}`);
    if (schedule !== undefined)
      console.log(`  play it again: npm run hunt -- ${name} --seed ${seed} --only ${schedule}`);
  }
  const figures = {
    seed,
    schedules: result.schedules,
    violations: result.violations.length,
    seconds: Math.round(seconds * 10) / 10,
    ...result.figures,
  };
  console.log(JSON.stringify({ hunt: name, figures }));
  process.exit(result.violations.length === 0 ? 0 : 1);
}

await main(process.argv.slice(2));
