import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";

const fleet = inject("fleet");
const demo = fileURLToPath(new URL("../../examples/demo/main.ts", import.meta.url));

test("the demo walks through the fleet, and every step of it holds", async () => {
  const child = spawn(process.execPath, [demo, "--quick", "--state-dir", dirname(fleet.directoryFile)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
  }
  const [code] = await once(child, "close");
  expect(code, told).toBe(0);
  expect(told).toContain("Asked directly, each database holds its own cell's tenants and nobody else's.");
  expect(told).toMatch(/Done in \d+\.\d s/);
}, 120_000);
