import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FileKeys, SecretManagerKeys } from "./index.ts";

let folder = "";
let server: Server;
/** As Secret Manager keeps them: versions by secret, and when each expires. */
const secrets = new Map<string, { versions: string[]; expireTime: string }>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "day-keys-"));
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const [status, answer] = secretManager(request.method ?? "", request.url ?? "", body);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

function secretManager(method: string, url: string, body: string): [number, object] {
  const created = /secretId=([\w-]+)$/.exec(url)?.[1];
  if (created !== undefined) {
    if (secrets.has(created)) return [409, {}];
    secrets.set(created, { versions: [], expireTime: JSON.parse(body).expireTime });
    return [200, {}];
  }
  const known = secrets.get(/secrets\/([\w-]+)/.exec(url)?.[1] ?? "");
  if (known === undefined) return [404, {}];
  if (method === "POST") {
    known.versions.push(JSON.parse(body).payload.data);
    return [200, {}];
  }
  const [first] = known.versions;
  return first === undefined ? [404, {}] : [200, { payload: { data: first } }];
}

const remote = () =>
  new SecretManagerKeys({
    project: "proveniq-prod-eu",
    cell: "eu",
    region: "europe-west1",
    token: () => Promise.resolve("t"),
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });

test.each([
  ["files", () => new FileKeys(folder)],
  ["Secret Manager", remote],
])("%s: everyone gets the same key of a day, and another one the day after", async (_, open) => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => open().key("2026-11-23")));
  const next = await open().key("2026-11-24");
  expect(new Set(keys.map((k) => k.export().toString("hex"))).size).toBe(1);
  expect(next.equals(keys[0] ?? next)).toBe(false);
});

test("files are gone after seven days, and only then", async () => {
  const keys = new FileKeys(folder);
  await keys.key("2026-11-23");
  await keys.destroyExpired("2026-11-29");
  expect(await readdir(folder)).toContain("2026-11-23.key");
  await keys.destroyExpired("2026-11-30");
  expect(await readdir(folder)).toEqual(["2026-11-24.key"]);
});

test("Secret Manager is told to destroy a key seven days after its day began", () => {
  expect(secrets.get("analytics-key-eu-2026-11-23")?.expireTime).toBe("2026-11-30T00:00:00.000Z");
});
