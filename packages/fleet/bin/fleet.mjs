#!/usr/bin/env node
// Runs on whatever Node the system has: finds the Node 24 that came with the install and hands over to it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const own = `${root}node_modules/.bin/node${process.platform === "win32" ? ".exe" : ""}`;
const enough = Number(process.versions.node.split(".")[0]) >= 24;

if (!existsSync(`${root}node_modules/commander`)) {
  console.error(
    "Nothing is installed yet. Run `npm install` first (or `npm start`, which installs by itself).",
  );
  process.exit(1);
} else if (enough) {
  // Who is on call types one command after the other: what was compiled for the last need not be again.
  nodeModule.enableCompileCache?.(`${root}node_modules/.cache/fleet`);
  await import("../src/main.ts");
} else if (!existsSync(own)) {
  console.error(
    `This needs Node 24, and found ${process.version}. Run \`npm install\`: it brings one on Linux; elsewhere install Node 24.`,
  );
  process.exit(1);
} else {
  const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    // The channel tells the child when we are gone, even by kill -9.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  // Ctrl-C reaches both of us; what a single process is sent is passed on.
  process.on("SIGINT", () => undefined);
  for (const name of ["SIGTERM", "SIGHUP"]) process.on(name, () => child.kill(name));
  child.on("exit", (code, signal) => process.exit(signal === null ? code : 1));
}
