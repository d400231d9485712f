import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Relay, startRelay } from "../relay/index.ts";
import { controlClient, type FleetControl } from "./client.ts";
import { type ControlServer, startControlServer } from "./server.ts";

let relay: Relay;
let server: ControlServer;
let client: FleetControl;
let killed: string[];

async function freePort(): Promise<number> {
  const probe: Server = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

beforeEach(async () => {
  killed = [];
  relay = await startRelay({ port: 0, target: "127.0.0.1:9" });
  server = await startControlServer(await freePort(), {
    run: "run-1",
    state: () => ({ phase: "ready" }),
    relays: new Map([["eu", relay]]),
    services: () => new Map([["eu", { pid: 42, kill: () => killed.push("eu") }]]),
    troubles: () => [{ kind: "data-lost", database: "eu", at: "2026-11-30T12:00:00.000Z", savedAt: null }],
    acknowledge: async () => [{ database: "eu", at: "2026-11-30T12:00:00.000Z", savedAt: null }],
    save: () => Promise.resolve({ savedAt: "2026-11-30T12:00:00.000Z" }),
    versions: { stage: async () => undefined, serve: async () => undefined, settle: async () => undefined },
  });
  client = controlClient(server.url);
});

afterEach(async () => {
  await server.close();
  await relay.close();
});

describe("the control endpoint", () => {
  it("shows and changes relays, and kills services", async () => {
    expect(await client.troubles()).toMatchObject([{ kind: "data-lost", database: "eu" }]);
    expect(await client.acknowledge()).toMatchObject([{ database: "eu", savedAt: null }]);
    const eu = client.relay("eu");
    expect(await eu.report()).toMatchObject({ state: "open", host: relay.host, counters: { calls: 0 } });
    await eu.cut();
    expect((await client.relays())["eu"]?.state).toBe("cut");
    await eu.restore();
    await eu.stall();
    expect(relay.state).toBe("stalled");
    await eu.restore();
    await eu.delay(5);
    await eu.dropReplies(1, "text");
    expect(relay.state).toBe("open");
    expect(await client.services()).toEqual({ eu: { pid: 42 } });
    await client.kill("eu");
    expect(killed).toEqual(["eu"]);
  });

  it("refuses what does not exist and what makes no sense", async () => {
    await expect(client.relay("mars").cut()).rejects.toThrow("No relay mars");
    await expect(client.relay("mars").report()).rejects.toThrow("no relay mars");
    await expect(client.kill("mars")).rejects.toThrow("No service mars");
    await expect(client.relay("eu").delay(-1)).rejects.toThrow("400");
    await expect(client.relay("eu").dropReplies(0.5)).rejects.toThrow("400");
    for (const path of ["/", "/relays/eu", "/relays/eu/cut", "/nothing", "/relays/%zz"]) {
      const response = await fetch(server.url + path);
      expect([path, response.status >= 400 && response.status < 500]).toEqual([path, true]);
    }
  });

  it("does nothing for a web page, nor under another name", async () => {
    const page = await fetch(`${server.url}/services/eu/kill`, { method: "POST" });
    expect(page.status).toBe(403);
    const url = new URL(`${server.url}/services/eu/kill`);
    const status = await new Promise((resolve, reject) => {
      const headers = { host: "evil.example", "x-fleet-control": "1" };
      request(url, { method: "POST", headers }, (r) => resolve(r.resume().statusCode))
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
    expect(killed).toEqual([]);
  });
});
