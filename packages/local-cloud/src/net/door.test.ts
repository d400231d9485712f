import { createServer, type Server } from "node:http";
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
let doorPort = 0;
let door: Door;

/** Listen on a port that nobody has. */
async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

beforeAll(async () => {
  port = await portOf(router);
  const free = createServer();
  doorPort = await portOf(free);
  await new Promise((resolve) => free.close(resolve));
  door = await openDoor(doorPort, `http://127.0.0.1:${port}`, "eu.proveniq.localhost");
});
afterAll(async () => {
  await door.close();
  router.close();
});

it("leads to one host of the router, and changes nothing else", async () => {
  const answer = await fetch(`http://127.0.0.1:${doorPort}/v1/items?limit=3`, {
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
