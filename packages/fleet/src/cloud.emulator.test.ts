import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { EmulatedCloud } from "./testing.ts";

const typed = ["--confirm", "cloud-nord"];
let folder: string;
let production: EmulatedCloud;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleet-cloud-"));
  production = await EmulatedCloud.make("cloud", inject("firestoreHost"));
});
afterAll(async () => {
  await production.connections.close();
  await rm(folder, { recursive: true, force: true });
});

async function cloud(...args: string[]): Promise<string> {
  const { code, out, err } = await production.run(...args);
  expect([code, out, err]).toEqual([0, out, err]);
  expect(err).toMatch(/^Environment: production \(proveniq\.io, central project proveniq-central\)/);
  return out;
}

it("a tenant of the cloud is added, made known, set, and given a live key", async () => {
  const added = await cloud("tenants", "add", "cloud-nord", "--cell", "eu", "--name", "Nord", ...typed);
  expect(added).toContain("Added tenant cloud-nord in cell eu, database eu-partners.");
  expect(added).toContain("npx fleet directory publish --to <target> --env production");
  expect(await cloud("tenants", "list")).toContain("cloud-nord");

  const file = join(folder, "directory.json");
  const told = await cloud("directory", "publish", "--to", file, "--confirm", "production");
  const [, version, target] = /^Published version (\d+) to (.+)\.$/m.exec(told) ?? [];
  expect(target).toBe(file);
  expect(JSON.parse(await readFile(file, "utf8")).tenants).toEqual({ "cloud-nord": ["eu", 1] });
  expect(await cloud("directory", "publish", "--to", file, "--confirm", "production")).toBe(
    `${file} holds version ${version} already; nothing was published.`,
  );
  expect(JSON.parse(await cloud("directory", "diff", "--to", file, "--json"))).toMatchObject({
    target: file,
  });

  expect(await cloud("tenants", "set", "cloud-nord", "--origin", "https://nord.example", ...typed)).toContain(
    "nord.example",
  );
  expect(await cloud("tenants", "set", "cloud-nord")).toContain("nord.example");

  const made = JSON.parse(
    await cloud("keys", "create", "cloud-nord", "--scope", "items:read", "--json", ...typed),
  );
  expect(made.key).toMatch(/^pvq_live_cloud-nord_/);
  expect(await cloud("keys", "list", "cloud-nord")).toContain("active");
  await cloud("keys", "revoke", "cloud-nord", made.summary.keyId, ...typed);
  expect(await cloud("keys", "list", "cloud-nord")).toContain("revoked");
  expect(await cloud("audit", "--tenant", "cloud-nord")).toContain("key.revoke");
});

it("market values of the cloud are published, and renewed", async () => {
  const file = join(folder, "values.ndjson");
  const value = { marketKey: "stone:1", currency: "USD", medianMinor: 5, p10Minor: 1, p90Minor: 9 };
  await writeFile(file, JSON.stringify({ ...value, sampleSize: 5, asOf: "2026-11-01" }));
  expect(await cloud("market", "publish", file, "--confirm", "production")).toContain(
    "Published: 1 new or changed",
  );
  expect(await cloud("market", "renew", "--confirm", "production")).toContain("starts again from 1 values");
});
