import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { cell, type Scene, setScene } from "./scene.ts";
import { exchange, send, type WireRequest } from "./wire.ts";

const fleet = inject("fleet");
let scene: Scene;
beforeAll(async () => {
  scene = await setScene(fleet);
});
afterAll(() => scene.world.close());

/** Everything that the fleet's processes have written so far. */
async function logs(): Promise<string> {
  const folder = join(fleet.directoryFile, "..", "logs");
  const files = await readdir(folder);
  return (await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")))).join("\n");
}

/** Requests with a secret in every place that a careless client, or a careless log line, could think of. */
function places(secret: string, host: string, credential: string): WireRequest[] {
  const own = ["authorization", `Bearer ${credential}`] as const;
  const json = ["content-type", "application/json"] as const;
  const post = (
    body: string,
    headers: readonly (readonly [string, string])[] = [own, json],
  ): WireRequest => ({
    method: "POST",
    path: "/v1/items",
    host,
    headers,
    body,
  });
  const valid = `"title":"${secret}","category":"other"`;
  return [
    post(`{${valid}}`),
    post(`{${valid},"description":"${secret}","serialNumber":"${secret}","location":"${secret}"}`),
    post(`{${valid},"${secret}":1}`),
    post(`{${valid},"category":"${secret}"}`),
    post(`{${valid},"attributes":{"a":"${secret}"}}`),
    post(`{${valid}`),
    post(secret),
    post(`{"__proto__":"${secret}"}`),
    post(`${"[".repeat(50)}"${secret}"`),
    post(`{${valid}}`, [own, ["content-type", secret]]),
    post(`{${valid}}`, [own, json, ["idempotency-key", secret]]),
    post(`{${valid}}`, [own, json, ["content-encoding", secret]]),
    post(`{${valid}}`, [own, json, ["x-anything", secret]]),
    ...[
      `Bearer ${secret}`,
      secret,
      `Basic ${secret}`,
      `Bearer pvq_dev_${secret}`,
      `Bearer a.${Buffer.from(secret).toString("base64url")}.c`,
    ].map((value) => ({ path: "/v1/items", host, headers: [["authorization", value]] as const })),
    ...[
      `/v1/items/${secret}`,
      `/v1/items?externalId=${secret}`,
      `/v1/items?${secret}=1`,
      `/${secret}`,
      `/t/${secret}/v1/items`,
    ].map((path) => ({ path, host, headers: [own] })),
    {
      path: "/v1/items",
      host,
      headers: [own, ["cookie", secret], ["referer", `https://a.test/${secret}`], ["user-agent", secret]],
    },
    { path: "/v1/items", host, headers: [own, ["x-tenant-id", secret]] },
    { path: "/v1/items", host, headers: [own, ["if-match", `"${secret}"`], ["if-none-match", secret]] },
    { path: "/v1/items", host, headers: [own, ["traceparent", secret], ["tracestate", `a=${secret}`]] },
    { path: "/v1/items", host, headers: [own, ["x-request-id", `${secret} with a space`]] },
    {
      path: "/v1/items",
      host,
      headers: [own, ["connection", `close, ${secret}`], ["x-forwarded-for", secret]],
    },
    { method: secret.replaceAll("-", "").toUpperCase(), path: "/v1/items", host, headers: [own] },
  ];
}

test("no token, key, body, path or personal field is in any log line", async () => {
  const secrets: string[] = [];
  for (const credential of [scene.red.key, scene.red.person]) {
    for (const door of scene.world.doors(cell)) {
      const count = places("x", door.host, credential).length;
      for (let n = 0; n < count; n += 1) {
        const secret = `s3cret-${randomUUID()}`;
        const request = places(secret, door.host, credential)[n];
        if (request === undefined) continue;
        secrets.push(
          secret,
          secret.replaceAll("-", "").toUpperCase(),
          Buffer.from(secret).toString("base64url"),
        );
        // Some of these are answered by closing the connection.
        await send(door.origin, request).catch(() => undefined);
      }
      await exchange(door.origin, `GET / HTTP/1.1\r\n${secrets.at(-3)}\r\n\r\n`, { quietMs: 200 });
    }
  }
  const { red, blue, navy } = scene;
  const credentials = [...Object.values(red), ...Object.values(blue), navy.key].filter((c) => c.length > 40);
  const marker = `marker-${randomUUID()}`;
  await send(fleet.router, { path: "/v1/cell", host: "localhost", headers: [["x-request-id", marker]] });
  await expect.poll(logs, { timeout: 5_000 }).toContain(marker);
  const written = await logs();
  const parts = credentials.flatMap((c) => [c, ...c.split(/[._]/).filter((part) => part.length >= 32)]);
  for (const secret of [...secrets, ...parts, scene.canary, ...Object.values(scene.ids)]) {
    const at = written.indexOf(secret);
    expect([secret, at === -1 ? "" : written.slice(Math.max(0, at - 200), at + 200)]).toEqual([secret, ""]);
  }
  for (const person of ["rosa", "rita", "rolf", "bob", "attack-red", "attack-blue"]) {
    expect([person, new RegExp(`\\b${person}\\b`).test(written)]).toEqual([person, false]);
  }
});
