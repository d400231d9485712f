import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { ask, problemCode } from "./testing/client.ts";
import { type RouterOptions, type RunningRouter, startRouter } from "./testing/start-router.ts";

let cell: ScriptedCell;
let other: ScriptedCell;
let router: RunningRouter;
const start = async (options: RouterOptions = {}) => {
  router = await startRouter({ consumer: cell.origin, "enterprise-a": other.origin }, options);
  return router;
};

beforeEach(async () => {
  [cell, other] = await Promise.all([startScriptedCell(), startScriptedCell()]);
});
afterEach(async () => {
  await router.stop();
  await Promise.all([cell.close(), other.close()]);
});

describe("a tenant that has moved", () => {
  const moved = (successor: string) =>
    `HTTP/1.1 421 Misdirected Request\r\nx-proveniq-successor: ${successor}\r\nx-proveniq-secret: 1\r\ncontent-length: 2\r\n\r\n{}`;
  const carrier = { "x-tenant-id": "carrier-a" };

  it("is found by what its old cell says, with the body sent again", async () => {
    await start();
    other.script = (_request, socket) => socket.write(moved("consumer;4"));
    const reply = await ask(router.port, { method: "POST", headers: carrier, body: '{"title":"x"}' });
    expect(reply.status).toBe(200);
    expect(cell.seen[0]?.body).toBe('{"title":"x"}');
    expect(cell.seen[0]?.headers).toContain("x-proveniq-epoch: 4");
    expect(router.records[0]).toMatchObject({ attempts: 2, cell: "consumer", reason: "moved-placement" });
  });

  it("is asked for at its new cell from then on", async () => {
    await start();
    other.script = (_request, socket) => socket.write(moved("consumer;4"));
    await ask(router.port, { headers: carrier });
    await ask(router.port, { headers: carrier });
    expect([other.seen.length, cell.seen.length]).toEqual([1, 2]);
  });

  it.each([
    ["an epoch that is not higher", "consumer;3"],
    ["an epoch further ahead", "consumer;5"],
    ["an epoch beyond all limits", "consumer;9999999999"],
    ["itself", "enterprise-a;4"],
    ["a cell that nobody knows", "nowhere;4"],
    ["something malformed", "consumer"],
    ["more than one", "consumer;4;5"],
  ])("is not followed to %s", async (_, successor) => {
    await start();
    const plain = other.script;
    other.script = (_request, socket) => socket.write(moved(successor));
    const reply = await ask(router.port, { headers: carrier });
    expect(reply.status).toBe(421);
    expect(Object.keys(reply.headers).filter((name) => name.startsWith("x-proveniq-"))).toEqual([]);
    expect(cell.seen).toHaveLength(0);
    // Nor does what is learnt outlive the answer: the next request goes where the directory says.
    other.script = plain;
    expect((await ask(router.port, { headers: carrier })).status).toBe(200);
    expect(cell.seen).toHaveLength(0);
  });

  it("twice is found as soon as the directory has been read again", async () => {
    let readings = 0;
    await start({
      readAgain: () => {
        readings += 1;
      },
    });
    other.script = (_request, socket) => socket.write(moved("consumer;5"));
    expect((await ask(router.port, { headers: carrier })).status).toBe(421);
    expect(readings).toBe(1);
  });

  it("is found by both of two requests that its old cell answers at once", async () => {
    await start();
    const waiting: (() => void)[] = [];
    other.script = (_request, socket) => {
      waiting.push(() => socket.write(moved("consumer;4")));
      if (waiting.length === 2) for (const go of waiting) go();
    };
    const replies = await Promise.all([1, 2].map(() => ask(router.port, { headers: carrier })));
    expect(replies.map((r) => r.status)).toEqual([200, 200]);
  });

  it("is not followed out of the residency that the host promises", async () => {
    await start();
    other.script = (_request, socket) => socket.write(moved("eu;4"));
    const reply = await ask(router.port, { headers: carrier });
    expect([reply.status, problemCode(reply)]).toEqual([421, "misdirected-request"]);
  });

  it("is followed once only", async () => {
    await start();
    other.script = (_request, socket) => socket.write(moved("consumer;4"));
    cell.script = (_request, socket) => socket.write(moved("enterprise-a;5"));
    expect((await ask(router.port, { headers: carrier })).status).toBe(421);
    expect([other.seen.length, cell.seen.length]).toEqual([1, 1]);
  });

  it("is not followed with a body that has already gone by, but learnt for the next request", async () => {
    await start();
    other.script = (_request, socket) => socket.write(moved("consumer;4"));
    const large = { method: "PUT", headers: carrier, body: Buffer.alloc(100_000) };
    expect((await ask(router.port, large)).status).toBe(421);
    expect((await ask(router.port, large)).status).toBe(200);
  });
});
