// `npm run generate`: the files made from the code. `--check` writes nothing and fails when one is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { generatedFiles } from "./generated.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const check = process.argv.includes("--check");
let stale = 0;
for (const { path, text } of generatedFiles()) {
  let now = "";
  try {
    now = readFileSync(root + path, "utf8");
  } catch {
    // Not there yet: written below.
  }
  if (now === text) continue;
  stale++;
  if (check) console.error(`${path} is out of date: run npm run generate`);
  else {
    writeFileSync(root + path, text);
    console.log(`wrote ${path}`);
  }
}
if (check && stale > 0) process.exit(1);
