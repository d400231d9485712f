import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { caseDirectory } from "../decide/cases.ts";
import { type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { ask } from "./testing/client.ts";
import { type RouterProcess, startRouterProcess } from "./testing/router-process.ts";

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let cell: ScriptedCell;
let router: RouterProcess | undefined;
let sockets: Socket[];
beforeEach(async () => {
  sockets = [];
  folder = await mkdtemp(join(tmpdir(), "router-crowds-"));
  cell = await startScriptedCell();
  const { topology } = caseDirectory;
  const consumer = { residency: "global" as const, api: cell.origin, bulk: cell.origin };
  const directory = { ...caseDirectory, topology: { ...topology, cells: { ...topology.cells, consumer } } };
  await writeFile(join(folder, "directory.json"), JSON.stringify(directory));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await router?.stop();
  router = undefined;
  await cell.close();
  await rm(folder, { recursive: true });
});

const start = async (env: Record<string, string> = {}, descriptors?: number) => {
  const directory = { DIRECTORY_FILE: join(folder, "directory.json") };
  router = await startRouterProcess({ ...directory, ...env }, process.env["PATH"], descriptors);
  return router;
};
function crowd(port: number, count: number, text: string): void {
  for (let n = 0; n < count; n += 1) {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => undefined);
    socket.write(text);
    sockets.push(socket);
  }
}

it("a router of 256 descriptors serves beside clients that are silent, slow or refused, says so, and ends in time", async () => {
  const running = await start({ HEAD_SECONDS: "1" }, 256);
  const { port, lines } = running;
  expect(lines).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining("few descriptors") }),
  );
  crowd(port, 300, "");
  crowd(port, 300, "GET /v1/items HTTP/1.1\r\nHost:");
  crowd(port, 100, "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n");
  for (let n = 0; n < 10; n += 1) {
    expect((await ask(port)).status).toBe(200);
    await sleep(20);
  }
  expect(lines).toContainEqual(
    expect.objectContaining({ message: "short of connections for clients", limit: 144 }),
  );
  const startedAt = performance.now();
  expect(await running.stop()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(lines).toContainEqual(expect.objectContaining({ message: "stopped", cut: 0 }));
});

it("heads that never end are answered 408, and their sockets let go", async () => {
  const { port, lines } = await start({ HEAD_SECONDS: "0.5", LINGER_SECONDS: "0.2" });
  crowd(port, 200, "GET /v1/items HTTP/1.1\r\nHost:");
  const closed = vi.fn();
  for (const socket of sockets) socket.resume().once("close", closed).once("end", closed);
  await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(200), { timeout: 10_000 });
  await vi.waitFor(() => expect(lines.filter((l) => l.status === 408)).toHaveLength(200), { timeout: 5_000 });
});
