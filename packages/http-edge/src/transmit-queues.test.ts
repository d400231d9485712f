import { once } from "node:events";
import { connect, createServer } from "node:net";
import { expect, it } from "vitest";
import { readQueues, transmitQueues } from "./transmit-queues.ts";

it("reads what the kernel still holds, by both ports", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
    "   0: 0100007F:1F90 0100007F:C350 01 0000002A:00000000 01:00000014 00000000     0",
    "   1: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:C351 01 00000001:00000000 00:00000000",
    "nonsense",
  ].join("\n");
  expect([...readQueues(table)]).toEqual([
    ["8080:50000", 42],
    ["8080:50001", 1],
  ]);
});

it.runIf(process.platform === "linux")("sees what a reader has not taken", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write(Buffer.alloc(20_000_000));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const reader = connect({ port, host: "127.0.0.1" });
  reader.pause();
  await once(reader, "connect");
  const queues = await transmitQueues();
  expect(queues?.get(`${port}:${reader.localPort}`)).toBeGreaterThan(0);
  reader.destroy();
  server.close();
});
