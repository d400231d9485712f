import { connect } from "node:net";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { plainAnswer, type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { Exchange } from "./exchange.ts";
import { ask, problemCode } from "./testing/client.ts";
import { type RunningRouter, startRouter } from "./testing/start-router.ts";

// What our own code throws, at any place where the event loop calls it, ends that exchange and its two sockets.

let cell: ScriptedCell;
let router: RunningRouter;
beforeEach(async () => {
  cell = await startScriptedCell();
  router = await startRouter({ consumer: cell.origin });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await router.stop();
  await cell.close();
});

const boom = () => {
  throw new Error("boom");
};
const upload = { method: "PUT", body: Buffer.alloc(200_000) };

it.each([
  ["onHead", 500],
  ["onBody", 200],
  ["onEnd", 200],
] as const)("when %s throws", async (method, status) => {
  cell.script = (_request, socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
    setTimeout(() => socket.write("def"), 5);
  };
  vi.spyOn(Exchange.prototype, method).mockImplementationOnce(boom);
  const ill = await ask(router.port).catch(() => undefined);
  expect(ill?.status ?? status).toBe(status);
  await vi.waitFor(() => expect(router.faults).toHaveLength(1));
  cell.script = (_request, socket) => socket.write(plainAnswer);
  expect((await ask(router.port)).status).toBe(200);
});

it("when the decision throws: 500, and the connection ends", async () => {
  vi.spyOn(router.directory, "hostTable").mockImplementationOnce(boom);
  const reply = await ask(router.port);
  expect([reply.status, problemCode(reply)]).toEqual([500, "internal-error"]);
  expect(router.records).toMatchObject([{ status: 500, failure: "fault of the router" }]);
  expect((await ask(router.port)).status).toBe(200);
});

it("when a piece of a body cannot be passed on", async () => {
  vi.spyOn(router.pools, "send").mockImplementationOnce(boom);
  const reply = await ask(router.port, upload).catch(() => undefined);
  expect(reply?.status ?? 500).toBe(500);
  await vi.waitFor(() => expect(router.faults).toHaveLength(1));
  expect((await ask(router.port, upload)).status).toBe(200);
});

it("when the record cannot be kept", async () => {
  router.failNextRecord();
  expect((await ask(router.port)).status).toBe(200);
  await vi.waitFor(() => expect(router.faults).toHaveLength(1));
  expect((await ask(router.port)).status).toBe(200);
});

it("when a broken connection is refused", async () => {
  router.failNextRecord();
  const socket = connect({ port: router.port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  socket.write("nonsense\r\n\r\n");
  await vi.waitFor(() => expect(router.faults).toHaveLength(1));
  expect((await ask(router.port)).status).toBe(200);
  socket.destroy();
});
