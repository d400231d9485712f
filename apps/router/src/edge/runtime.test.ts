import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type EdgeConfigServer, startEdgeConfig } from "@proveniq/local-cloud/edge-config";
import { EdgeRuntime, runServer } from "edge-runtime";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caseDirectory } from "../decide/cases.ts";
import { ask, problemCode } from "../node/testing/client.ts";

let edgeConfig: EdgeConfigServer;
let cell: Server;
let edge: Awaited<ReturnType<typeof runServer>>;
let port: number;

/** The very middleware that is deployed, in one file, with the event that the runtime knows. */
async function bundle(connection: string): Promise<string> {
  const result = await build({
    stdin: {
      contents: `import middleware from "./vercel.ts";
addEventListener("fetch", (event) => event.respondWith(middleware(event.request, event)));`,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
      loader: "ts",
    },
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    conditions: ["edge-light", "worker"],
    define: {
      "process.env": JSON.stringify({
        EDGE_CONFIG: connection,
        FLEET_ZONE: "proveniq.io",
        PROVENIQ_ENV: "development",
      }),
    },
    logLevel: "silent",
  });
  return result.outputFiles[0]?.text ?? "";
}

beforeAll(async () => {
  cell = createServer((req, res) => {
    let body = "";
    req.on("data", (piece: Buffer) => {
      body += piece.toString();
    });
    req.on("end", () => {
      res.setHeader("x-proveniq-secret", "1");
      res.end(
        JSON.stringify({
          url: req.url,
          tenant: req.headers["x-tenant-id"],
          host: req.headers["x-proveniq-host"],
          body,
        }),
      );
    });
  });
  await new Promise<void>((resolve) => cell.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(cell.address() as AddressInfo).port}`;
  const { cells: known } = caseDirectory.topology;
  // No two cells may have one origin: one server goes by two names here.
  const named = { consumer: origin, "enterprise-a": origin.replace("127.0.0.1", "localhost") };
  const here = Object.entries(named).map(([id, at]) => [id, { ...known[id], api: at, bulk: at }]);
  const cells = { ...known, ...Object.fromEntries(here) };
  edgeConfig = await startEdgeConfig({
    items: { directory: { ...caseDirectory, topology: { ...caseDirectory.topology, cells } } },
  });
  const runtime = new EdgeRuntime({ initialCode: await bundle(edgeConfig.connection) });
  edge = await runServer({ runtime, host: "127.0.0.1", port: 0 });
  port = Number(new URL(edge.url).port);
});
afterAll(async () => {
  await edge.close();
  await edgeConfig.close();
  cell.close();
});

describe("in a real edge runtime, with the directory in Edge Config", () => {
  it("a request reaches its cell, body and all", async () => {
    const headers = { "x-tenant-id": "carrier-a", "content-length": 13 };
    const reply = await ask(port, { method: "POST", path: "/v1/items?a=1", headers, body: '{"title":"x"}' });
    expect([reply.status, JSON.parse(reply.body)]).toEqual([
      200,
      { url: "/v1/items?a=1", tenant: "carrier-a", host: "api.proveniq.io", body: '{"title":"x"}' },
    ]);
    expect(reply.headers["x-proveniq-secret"]).toBeUndefined();
  });

  it("a tenant on the wrong host is refused", async () => {
    const reply = await ask(port, { headers: { "x-tenant-id": "atelier-nord" } });
    expect([reply.status, problemCode(reply)]).toEqual([421, "misdirected-request"]);
  });

  it("the directory is asked for once, not with every request", async () => {
    await Promise.all(Array.from({ length: 20 }, () => ask(port)));
    expect(edgeConfig.requests()).toBeLessThanOrEqual(2);
  });
});
