import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { type RunningRouter, startRouter } from "./testing/start-router.ts";

let cell: ScriptedCell;
let router: RunningRouter;
beforeEach(async () => {
  cell = await startScriptedCell();
  router = await startRouter({ consumer: cell.origin });
});
afterEach(async () => {
  await router.stop();
  await cell.close();
});

const open = (text: string) => {
  const socket = connect(router.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(text);
  return socket;
};

it.each([
  [
    "a request after the last one",
    "Connection: close\r\n\r\nGET /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\n\r\n",
  ],
  ["what is no request", "\r\n\x16\x03\x01"],
])("a client that sent too much and leaves is let go of: %s", async (_, rest) => {
  cell.script = () => undefined;
  const socket = open(`GET /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\n${rest}`);
  await vi.waitFor(() => expect(cell.open()).toBe(1));
  await sleep(10);
  socket.resetAndDestroy();
  await vi.waitFor(() => expect([cell.open(), router.server.clients()]).toEqual([0, 0]));
  expect(router.records).toMatchObject([{ status: 499 }]);
});

it("a broken answer is never whole for a client of HTTP/1.0, to whom its end is that of the connection", async () => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
  cell.script = (_request, socket) => socket.end(head);
  const socket = open("GET /v1/items HTTP/1.0\r\nHost: api.proveniq.io\r\n\r\n");
  socket.resume();
  const ended = await new Promise((resolve) => {
    socket.on("end", () => resolve("whole"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  expect(ended).toBe("ECONNRESET");
});
