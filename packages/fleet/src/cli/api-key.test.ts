import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyUrl, readKey } from "./api-key.ts";

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "api-key-"));
  file = join(folder, "key");
  await writeFile(file, "pvq_dev_a_b_c\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("keyUrl", () => {
  it.each([
    "https://api.proveniq.io",
    "http://localhost:8080",
    "http://eu.proveniq.localhost:8080",
    "http://127.0.0.1:8111",
    "http://[::1]:8080",
  ])("takes %s", (url) => {
    expect(keyUrl(url)).toBe(url);
  });

  it.each([
    ["http://api.proveniq.io", "for everybody to read. Use https://api.proveniq.io"],
    ["http://10.0.0.7:8080", "for everybody to read"],
    ["http://localhost.example", "for everybody to read"],
    ["http://127.0.0.1.example", "for everybody to read"],
    ["http://2130706433.example", "for everybody to read"],
    ["https://user:s3cret@api.proveniq.io", "no user and password"],
    ["ftp://localhost", "must be an https URL"],
    ["api.proveniq.io", "must be an https URL"],
  ])("refuses %s", (url, words) => {
    expect(() => keyUrl(url)).toThrow(words);
    expect(() => keyUrl(url)).not.toThrow(/s3cret/);
  });
});

describe("readKey", () => {
  const warnings: string[] = [];
  const read = (options: { key?: string; keyFile?: string }, env?: string) =>
    readKey(options, env, (sentence) => warnings.push(sentence));

  it("prefers what was asked for, and warns of the command line alone", async () => {
    expect(await read({ keyFile: file }, "env")).toBe("pvq_dev_a_b_c");
    expect(await read({}, "env")).toBe("env");
    expect(await read({})).toBeUndefined();
    expect(warnings).toEqual([]);
    expect(await read({ key: "given" }, "env")).toBe("given");
    expect(warnings.join()).toMatch(/list this machine's processes/);
    expect(warnings.join()).not.toContain("given");
  });

  it("says what is wrong with a file, and not what is in it", async () => {
    await expect(read({ keyFile: join(folder, "none") })).rejects.toThrow("cannot be read (ENOENT)");
    await writeFile(join(folder, "two"), "one\ntwo");
    await expect(read({ keyFile: join(folder, "two") })).rejects.toThrow("does not hold one API key");
    await expect(read({ key: "a", keyFile: file })).rejects.toThrow("exclude each other");
  });
});
