import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Names of the packages that a fresh process has loaded once it has run `script`. */
async function loadedBy(script: string): Promise<string[]> {
  const report = `
    const { createRequire } = await import("node:module");
    console.log(JSON.stringify(Object.keys(createRequire("${here}").cache)));`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script + report], {
    cwd: here,
  });
  const files = JSON.parse(stdout) as string[];
  return [...new Set(files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []))];
}

test("nothing of Firebase or gRPC is loaded before the first database is opened", async () => {
  const load = ["pool", "claims", "tenant/index", "outbox", "queries"].map(
    (f) => `await import("./${f}.ts");`,
  );
  const loaded = await loadedBy(load.join(" "));
  expect(loaded.filter((name) => /firebase|google|grpc/.test(name))).toEqual([]);
  // The same look does find them once they are there.
  const opened = await loadedBy(`
    const { DatabasePool } = await import("./pool.ts");
    await new DatabasePool({ projectId: "p-lazy", allow: ["(default)"], emulatorHost: "127.0.0.1:9" }).open("(default)");`);
  expect(opened).toEqual(expect.arrayContaining(["firebase-admin", "@google-cloud/firestore"]));
});
