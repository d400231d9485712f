import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { cell, type Scene, setScene } from "./scene.ts";
import { exchange } from "./wire.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await setScene(inject("fleet"));
});
afterAll(() => scene.world.close());

/** What a smuggler hides: a request of its own, which registers a thing by the name of `mark`. */
function hidden(key: string, host: string, mark: string): string {
  const body = JSON.stringify({ title: mark, category: "other" });
  return (
    `POST /v1/items HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${key}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  );
}

type Make = (head: string, inner: string) => string;
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const end = "0\r\n\r\n";

/** Requests that two servers may cut differently. `head` ends before the headers that frame the body. */
const framings: [string, Make][] = [
  [
    "CL.TE",
    (head, inner) =>
      `${head}content-length: ${end.length + inner.length}\r\ntransfer-encoding: chunked\r\n\r\n${end}${inner}`,
  ],
  [
    "TE.CL",
    (head, inner) => `${head}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n${chunk(inner)}${end}`,
  ],
  [
    "TE.TE, two codings",
    (head, inner) => `${head}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n${end}${inner}`,
  ],
  ["TE.TE, x-chunked", (head, inner) => `${head}transfer-encoding: chunked, x\r\n\r\n${end}${inner}`],
  [
    "TE with a space before the colon",
    (head, inner) => `${head}transfer-encoding : chunked\r\ncontent-length: 5\r\n\r\n${end}${inner}`,
  ],
  [
    "TE with a vertical tab",
    (head, inner) => `${head}transfer-encoding:\u000bchunked\r\ncontent-length: 5\r\n\r\n${end}${inner}`,
  ],
  [
    "TE in HTTP/1.0",
    (head, inner) =>
      `${head.replace("HTTP/1.1", "HTTP/1.0")}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n${end}${inner}`,
  ],
  [
    "two lengths",
    (head, inner) => `${head}content-length: 0\r\ncontent-length: ${inner.length}\r\n\r\n${inner}`,
  ],
  ["two lengths in one", (head, inner) => `${head}content-length: 0, ${inner.length}\r\n\r\n${inner}`],
  ["a signed length", (head, inner) => `${head}content-length: +0\r\n\r\n${inner}`],
  ["a length in hexadecimal", (head, inner) => `${head}content-length: 0x0\r\n\r\n${inner}`],
  ["bare line feeds", (head, inner) => `${head}transfer-encoding: chunked\r\n\r\n0\n\n${inner}`],
  [
    "bare line feeds in the head",
    (head, inner) => `${head.replaceAll("\r\n", "\n")}content-length: 0\n\n${inner}`,
  ],
  ["a bare carriage return", (head, inner) => `${head}x: a\rcontent-length: 0\r\n\r\n${inner}`],
  [
    "a folded header",
    (head, inner) =>
      `${head}x: a\r\n transfer-encoding: chunked\r\ncontent-length: ${end.length}\r\n\r\n${end}${inner}`,
  ],
  [
    "a chunk size with rubbish",
    (head, inner) => `${head}transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n${inner}`,
  ],
  [
    "a chunk size that overflows",
    (head, inner) => `${head}transfer-encoding: chunked\r\n\r\n10000000000000000\r\n${inner}`,
  ],
  ["a chunk longer than it says", (head, inner) => `${head}transfer-encoding: chunked\r\n\r\n1\r\n${inner}`],
  ["a request in a header", (head, inner) => `${head}x: ${inner.replaceAll("\r\n", "\n")}\r\n\r\n`],
  ["a header without a name", (head, inner) => `${head}: chunked\r\ncontent-length: 0\r\n\r\n${inner}`],
];

describe.each(["router", "cell"] as const)("request smuggling at the %s", (name) => {
  test.each(framings)("%s", async (_, make) => {
    const door = scene.world.doors(cell).find((d) => d.name === name);
    if (door === undefined) throw new Error("no door");
    const mark = `smuggled-${randomUUID()}`;
    // The outer request is refused anyway (no credential), so a thing by this name can only come from the inner one.
    const head = `POST /v1/items HTTP/1.1\r\nhost: ${door.host}\r\nx-tenant-id: ${scene.red.tenant}\r\ncontent-type: application/json\r\n`;
    const answer = await exchange(door.origin, make(head, hidden(scene.red.key, door.host, mark)), {
      quietMs: 300,
    });
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((m) => Number(m[1]));
    expect(statuses.filter((s) => s < 400 || s >= 502)).toEqual([]);
    // The outer request, and perhaps a complaint about what follows it.
    expect(statuses.length).toBeLessThanOrEqual(2);
    const book = await scene.world.call(cell, scene.red.key, "GET", "/v1/items?limit=100");
    expect(book.body).not.toContain(mark);
  });

  test("and the hidden request, sent openly, does work: these tests would see it", async () => {
    const door = scene.world.doors(cell).find((d) => d.name === name);
    if (door === undefined) throw new Error("no door");
    const mark = `openly-${randomUUID()}`;
    const answer = await exchange(door.origin, hidden(scene.red.key, door.host, mark), { quietMs: 1_000 });
    expect(answer).toContain("HTTP/1.1 201");
    const id = /"id":"(\w+)"/.exec(answer)?.[1];
    expect((await scene.world.call(cell, scene.red.key, "GET", `/v1/items/${id}`)).body).toContain(mark);
  });
});
