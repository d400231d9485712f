import { afterEach, beforeEach, expect, it } from "vitest";
import { plainAnswer, type ScriptedCell, startScriptedCell } from "../conformance/scripted-cell.ts";
import { UpstreamPools } from "./pool.ts";
import type { ResponseHandler, UpstreamRequest } from "./types.ts";

let cell: ScriptedCell;
let pools: UpstreamPools;
beforeEach(async () => {
  cell = await startScriptedCell();
  pools = new UpstreamPools();
});
afterEach(async () => {
  pools.close();
  await cell.close();
});

const request: UpstreamRequest = {
  method: "GET",
  tenant: "carrier-a",
  head: "GET /v1/items HTTP/1.1\r\nhost: cell\r\n",
  body: undefined,
  contentLength: 0,
};

/** Collects what an asker is told; `over` resolves with its last word. */
function asker(more: Partial<ResponseHandler> = {}) {
  const told: string[] = [];
  const over = Promise.withResolvers<string>();
  const tell = (word: string) => told.push(word);
  const last = (word: string) => {
    tell(word);
    over.resolve(word);
  };
  const handler: ResponseHandler = {
    onHead: () => tell("head"),
    onBody: () => {
      tell("body");
      return true;
    },
    onEnd: () => last("end"),
    onFailure: ({ kind }) => last(kind),
    onDrain: () => tell("drain"),
    onFault: () => last("fault"),
    ...more,
  };
  return { handler, told, over: over.promise };
}

it("an asker whose answer is complete can do nothing to the connection any more", async () => {
  const first = asker();
  const call = pools.send(cell.origin, request, first.handler);
  expect(await first.over).toBe("end");
  const second = asker();
  cell.script = (_request, socket) => void setTimeout(() => socket.write(plainAnswer), 20);
  pools.send(cell.origin, request, second.handler);
  expect(call.writeBody(Buffer.from("stray bytes"))).toBe(true);
  call.endBody();
  call.resume();
  call.abort();
  expect(await second.over).toBe("end");
  expect([first.told, second.told]).toEqual([
    ["head", "body", "end"],
    ["head", "body", "end"],
  ]);
  expect([cell.accepted(), cell.seen.length]).toEqual([1, 2]);
});

it("one that aborts is told nothing more, and its connection serves nobody else", async () => {
  const first = asker();
  pools.send(cell.origin, request, first.handler).abort();
  const second = asker();
  pools.send(cell.origin, request, second.handler);
  expect(await second.over).toBe("end");
  expect([first.told, cell.seen.length]).toEqual([[], 1]);
});

it("one that aborts in the middle of a piece is not told the rest of it", async () => {
  const first = asker({ onHead: () => call.abort() });
  const call = pools.send(cell.origin, request, first.handler);
  const second = asker();
  pools.send(cell.origin, request, second.handler);
  expect(await second.over).toBe("end");
  expect(first.told).toEqual([]);
});

it("one that throws loses its own request alone", async () => {
  const boom = () => {
    throw new Error("boom");
  };
  for (const more of [{ onHead: boom }, { onBody: boom }, { onEnd: boom }]) {
    const first = asker(more);
    const second = asker();
    pools.send(cell.origin, request, first.handler);
    pools.send(cell.origin, request, second.handler);
    expect(await Promise.all([first.over, second.over])).toEqual(["fault", "end"]);
  }
});
