import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

/** Everything an entry pulls in, down to the last package: lint sees only direct imports. */
async function inputsOf(entry: string): Promise<string[]> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    logLevel: "silent",
  });
  return Object.keys(result.metafile.inputs);
}

describe("edge-safe entries", () => {
  it.each(["./index.ts", "./hono.ts", "./credentials/index.ts", "./request-quota.ts", "./target.ts"])(
    "%s bundles for a runtime without Node and knows no Firebase",
    async (entry) => {
      const inputs = await inputsOf(entry);
      expect(inputs.filter((file) => file.endsWith(`tenant-context/src/${entry.slice(2)}`))).toHaveLength(1);
      expect(inputs.filter((file) => /firebase|google-cloud|grpc|packages\/db\//.test(file))).toEqual([]);
    },
  );

  it("would notice an import of node:*", async () => {
    await expect(
      build({
        stdin: { contents: 'import { readFile } from "node:fs"; readFile;', loader: "ts" },
        bundle: true,
        write: false,
        platform: "browser",
        logLevel: "silent",
      }),
    ).rejects.toThrow("node:fs");
  });
});
