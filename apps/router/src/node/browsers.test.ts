import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { ask, problemCode } from "./testing/client.ts";
import { type RunningRouter, startRouter } from "./testing/start-router.ts";

let cell: ScriptedCell;
let router: RunningRouter;
beforeAll(async () => {
  cell = await startScriptedCell();
  router = await startRouter({
    consumer: cell.origin,
    "enterprise-a": cell.origin.replace("127.0.0.1", "localhost"),
  });
});
afterAll(async () => {
  await router.stop();
  await cell.close();
});

const preflight = { origin: "https://any.test", "access-control-request-method": "PATCH" };

describe("a preflight", () => {
  it.each([
    ["api.proveniq.io", "/v1/items"],
    ["carrier-a.proveniq.io", "/v1/items/b7Jq2mX9aL0cV4tR8sWd"],
    ["nobody.test", "/t/nobody/v1/items"],
  ])("is answered on %s%s alike, by the router, without credentials", async (host, path) => {
    const reply = await ask(router.port, { method: "OPTIONS", host, path, headers: preflight });
    expect([reply.status, reply.body]).toEqual([204, ""]);
    expect(reply.headers).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": expect.stringContaining("PATCH"),
      "access-control-allow-headers": expect.stringMatching(/Authorization.*Content-Digest.*Content-Type/),
    });
    expect(reply.headers).not.toHaveProperty("access-control-allow-credentials");
    expect(cell.seen).toEqual([]);
    expect(router.records.at(-1)).toMatchObject({ reason: "preflight", status: 204, cell: undefined });
  });

  it("is not any other OPTIONS: that goes to the cell", async () => {
    cell.script = (_request, socket) => socket.write("HTTP/1.1 204 No Content\r\nallow: GET\r\n\r\n");
    const reply = await ask(router.port, { method: "OPTIONS", headers: { origin: "https://any.test" } });
    expect(reply.headers.allow).toBe("GET");
    expect(cell.seen[0]?.line).toBe("OPTIONS /v1/items HTTP/1.1");
  });
});

it("every page may read why the router refused", async () => {
  const reply = await ask(router.port, { host: "nobody.test", headers: { origin: "https://any.test" } });
  expect(problemCode(reply)).toBe("misdirected-request");
  expect(reply.headers).toMatchObject({
    "access-control-allow-origin": "*",
    "x-content-type-options": "nosniff",
  });
});
