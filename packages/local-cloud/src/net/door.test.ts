import { createServer } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Door, openDoor } from "./door.ts";

const router = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on("end", () => {
    const { method, url, headers } = request;
    response.writeHead(207, { "x-told": "yes" });
    response.end(JSON.stringify({ method, url, host: headers.host, key: headers.authorization, body }));
  });
});
let port = 0;
let door: Door;

beforeAll(async () => {
  await new Promise<void>((resolve) => router.listen(0, "127.0.0.1", resolve));
  const address = router.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
  door = await openDoor(
    port === 65_535 ? port - 1 : port + 1,
    `http://127.0.0.1:${port}`,
    "eu.proveniq.localhost",
  );
});
afterAll(async () => {
  await door.close();
  router.close();
});

it("leads to one host of the router, and changes nothing else", async () => {
  const answer = await fetch(`http://127.0.0.1:${port + 1}/v1/items?limit=3`, {
    method: "POST",
    headers: { authorization: "Bearer key" },
    body: "text",
  });
  expect([answer.status, answer.headers.get("x-told"), await answer.json()]).toEqual([
    207,
    "yes",
    {
      method: "POST",
      url: "/v1/items?limit=3",
      host: `eu.proveniq.localhost:${port}`,
      key: "Bearer key",
      body: "text",
    },
  ]);
});
