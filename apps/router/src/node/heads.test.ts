import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { exchangeRaw, statusesIn } from "./conformance/raw-client.ts";
import { type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { type RunningRouter, startRouter } from "./testing/start-router.ts";

let cell: ScriptedCell;
let router: RunningRouter;
beforeAll(async () => {
  cell = await startScriptedCell();
  router = await startRouter({ consumer: cell.origin });
});
afterEach(() => {
  cell.seen.length = 0;
  router.records.length = 0;
});
afterAll(async () => {
  await router.stop();
  await cell.close();
});

const host = "Host: api.proveniq.io\r\n";
const get = `GET /v1/items HTTP/1.1\r\n${host}`;
const post = `POST /v1/items HTTP/1.1\r\n${host}`;
const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`;

/** What is sent, the statuses that come, how many requests reach the cell, and whether the connection goes on. */
type Row = [name: string, sent: string, statuses: number[], arrived: number, goesOn?: "goes on"];

const refused: Row[] = [
  ["a dot at the end of the host", "GET /v1/items HTTP/1.1\r\nHost: api.proveniq.io.\r\n\r\n", [421], 0],
  ["a user in the target", `GET http://user:pw@api.proveniq.io/ HTTP/1.1\r\n${host}\r\n`, [400], 0],
  ["an escape twice over", `GET /%252e/ HTTP/1.1\r\n${host}\r\n`, [200], 1],
  ["a byte beyond ASCII in the tenant", `${get}X-Tenant-ID: carrier-a\xa0\r\n\r\n`, [400], 0, "goes on"],
  ["a control in the host", "GET /v1/items HTTP/1.1\r\nHost: api\x9b.proveniq.io\r\n\r\n", [400], 0],
  ["an inflatable body", `${post}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab`, [415], 0],
  [
    "an inflatable body in two codings",
    `${post}Content-Encoding: br, gzip\r\nContent-Length: 2\r\n\r\nab`,
    [415],
    0,
  ],
  [
    "a body that nobody has coded",
    `${post}Content-Encoding: identity\r\nContent-Length: 2\r\n\r\nab`,
    [200],
    1,
  ],
  [
    "an import's packed chunk",
    `${post}Content-Type: application/gzip\r\nContent-Length: 2\r\n\r\nab`,
    [200],
    1,
  ],
  ["an empty coding beside a length", `${post}Transfer-Encoding:\r\nContent-Length: 2\r\n\r\nab`, [400], 0],
  ["a space in the length", `${post}Content-Length: 1 2\r\n\r\nab`, [400], 0],
  ["a space before a chunk's size", `${chunked} 2\r\nab\r\n0\r\n\r\n`, [400], 0],
  ["an underscore in a chunk's size", `${chunked}2_0\r\nab\r\n0\r\n\r\n`, [400], 0],
  ["a chunk's size in 0x", `${chunked}0x10\r\nab\r\n0\r\n\r\n`, [400], 0],
  ["a sign before a chunk's size", `${chunked}+5\r\nabcde\r\n0\r\n\r\n`, [400], 0],
  ["a bare LF in a chunk's extension", `${chunked}2;a\nb\r\nab\r\n0\r\n\r\n`, [400], 0],
  ["a bare CR in a chunk's extension", `${chunked}2;a\rb\r\nab\r\n0\r\n\r\n`, [400], 0],
  ["a long extension of a chunk", `${chunked}2;${"a".repeat(20_000)}\r\nab\r\n0\r\n\r\n`, [400], 0],
];

describe("a head or a body", () => {
  it.each(refused)("%s", async (_, sent, statuses, arrived, goesOn) => {
    const reply = await exchangeRaw(router.port, [sent]);
    expect([statusesIn(reply.text), cell.seen.length]).toEqual([statuses, arrived]);
    expect(reply.closed).toBe((statuses[0] === 400 || statuses[0] === 415) && goesOn === undefined);
    expect(router.records).toMatchObject([{ status: statuses[0] }]);
    expect(JSON.stringify(router.records) + reply.text).not.toMatch(/[\x80-\x9f]/);
  });

  it("that names a tenant in the query alone goes to the default one", async () => {
    await exchangeRaw(router.port, [
      `GET http://api.proveniq.io?/t/carrier-a/v1/items HTTP/1.1\r\n${host}\r\n`,
    ]);
    expect(cell.seen[0]?.line).toBe("GET /?/t/carrier-a/v1/items HTTP/1.1");
    expect(cell.seen[0]?.headers).toContain("x-tenant-id: consumers");
  });

  it("that holds a whole request is one body", async () => {
    const inner = `DELETE /v1/items/1 HTTP/1.1\r\n${host}\r\n`;
    const reply = await exchangeRaw(router.port, [`${get}Content-Length: ${inner.length}\r\n\r\n${inner}`]);
    expect([statusesIn(reply.text), cell.seen.length, cell.seen[0]?.body]).toEqual([[200], 1, inner]);
  });

  it("by HTTP/1.0 is not told to continue, and one by HTTP/1.1 is", async () => {
    const ask = (version: string) =>
      exchangeRaw(router.port, [
        `POST /v1/items HTTP/${version}\r\n${host}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
        "ab",
      ]);
    expect((await ask("1.0")).text).toMatch(/^HTTP\/1\.1 200 /);
    expect((await ask("1.1")).text).toMatch(/^HTTP\/1\.1 100 /);
  });

  it("whose length goes by another name too keeps to its length, and the other name ends here", async () => {
    await exchangeRaw(router.port, [`${post}Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\nab`]);
    expect(cell.seen[0]?.body).toBe("ab");
    expect(cell.seen[0]?.headers.join()).not.toMatch(/transfer_encoding/i);
  });

  it("whose trailers name a length is no HTTP", async () => {
    const reply = await exchangeRaw(router.port, [`${chunked}2\r\nab\r\n0\r\nContent-Length: 9\r\n\r\n`]);
    expect([statusesIn(reply.text), reply.closed, cell.seen.length]).toEqual([[400], true, 0]);
  });

  it("whose trailers name a tenant or a credential: neither goes on", async () => {
    await exchangeRaw(router.port, [
      `${chunked}2\r\nab\r\n0\r\nX-Tenant-ID: carrier-a\r\nAuthorization: x\r\n\r\n`,
    ]);
    expect(cell.seen[0]?.headers).toContain("x-tenant-id: consumers");
    expect([cell.seen[0]?.body, cell.seen[0]?.rawBody]).toEqual(["ab", "ab"]);
    expect(cell.seen[0]?.headers.join()).not.toMatch(/authorization/i);
  });
});
