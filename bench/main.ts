import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isBench } from "./lib/bench.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const names = readdirSync(folder).filter((name) => existsSync(`${folder}${name}/main.ts`));

async function load(name: string) {
  const module: unknown = await import(pathToFileURL(`${folder}${name}/main.ts`).href);
  if (typeof module !== "object" || module === null || !isBench(module)) {
    throw new Error(`bench/${name}/main.ts must export a description and a default function`);
  }
  return module;
}

/** `npm run bench` lists; `npm run bench -- NAME [args]` runs one, and its figures are the last line. */
async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name !== undefined && names.includes(name)) {
    const figures = await (await load(name)).default(args);
    console.log(JSON.stringify({ bench: name, figures }));
    return;
  }
  if (name !== undefined) {
    console.error(`There is no benchmark "${name}".`);
    process.exitCode = 1;
  }
  console.log("Benchmarks (npm run bench -- NAME):");
  for (const known of names) console.log(`  ${known.padEnd(16)}${(await load(known)).description}`);
}

await main(process.argv.slice(2));
