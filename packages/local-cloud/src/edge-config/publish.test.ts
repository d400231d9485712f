import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { openTarget } from "@proveniq/control-plane";
import { createClient } from "@vercel/edge-config";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type EdgeConfigApi, startEdgeConfigApi } from "./api.ts";
import { type EdgeConfigServer, startEdgeConfig } from "./server.ts";

const id = "ecfg_local";
const token = "a-token-that-may-write";
let edge: EdgeConfigServer;
let api: EdgeConfigApi;
beforeAll(async () => {
  edge = await startEdgeConfig({ id });
  api = await startEdgeConfigApi(edge, { id, token, maxBytes: 2_000 });
});
beforeEach(() => {
  api.failWith = undefined;
});
afterAll(() => Promise.all([edge.close(), api.close()]));

const snapshot = (version: number, tenants = 1) => ({
  version,
  publishedAt: "2026-01-01T00:00:00.000Z",
  topology: {
    hosts: { "api.proveniq.io": { kind: "global" as const } },
    defaults: { global: { cell: "consumer", tenant: "consumers" } },
    cells: {
      consumer: { residency: "global" as const, api: "https://a.example", bulk: "https://b.example" },
    },
  },
  tenants: Object.fromEntries(
    Array.from({ length: tenants }, (_, n): [string, [string, number]] => [`tenant-${n}`, ["consumer", 1]]),
  ),
  tenantHosts: {},
});
const target = (given: Partial<{ token: string; team: string; api: string }> = {}, name = id) =>
  openTarget(name, { token, api: api.url, ...given });

describe("the directory in an Edge Config", () => {
  it("is written by the platform's API, and read by clients and by the next publication", async () => {
    expect(await target().read()).toBeUndefined();
    await target({ team: "team_1" }).write(snapshot(3));
    expect(await createClient(edge.connection).get("directory")).toEqual(snapshot(3));
    expect(await target().read()).toEqual(snapshot(3));
    expect(api.teams.slice(0, 2)).toEqual([null, "team_1"]);
  });

  it.each([
    [{ token: "another" }, id, "EDGE_CONFIG_API_TOKEN must be one that can write there"],
    [{}, "ecfg_other", "there is no such Edge Config"],
    [{ api: "http://127.0.0.1:9" }, id, "127.0.0.1:9 did not answer"],
  ])("says what to do when it cannot be reached so: %j, %s", async (given, name, sentence) => {
    const failed = target(given, name).write(snapshot(4));
    await expect(failed).rejects.toThrow(sentence);
    await expect(failed).rejects.not.toThrow(/a-token|another/);
  });

  it.each([
    [500, "Whether it was written is not known"],
    [429, "try again in a minute"],
    [400, "as the test wants"],
  ])("tells what a %i means", async (status, sentence) => {
    api.failWith = status;
    await expect(target().write(snapshot(5))).rejects.toThrow(sentence);
  });

  it("never prints a token that cannot be sent", async () => {
    const failed = target({ token: "a-token\r\nin two lines" }).write(snapshot(4));
    await expect(failed).rejects.toThrow("EDGE_CONFIG_API_TOKEN holds");
    await expect(failed).rejects.not.toThrow(/a-token|two lines/);
  });

  it.each([
    ["<html>", "something that is not JSON. Nothing was changed"],
    ["{}", "no list of items"],
  ])("does not take %s for an answer", async (answer, sentence) => {
    const other = createServer((_, res) => res.end(answer));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    await expect(target({ api: `http://127.0.0.1:${port}` }).read()).rejects.toThrow(sentence);
    other.closeAllConnections();
    other.close();
  });

  it("is not written when it is too large, and never half", async () => {
    await expect(target().write(snapshot(6, 100))).rejects.toThrow("larger than the plan allows");
    expect(await target().read()).toEqual(snapshot(3));
    edge.set("directory", { version: "garbage" });
    await expect(target().read()).rejects.toThrow("ecfg_local, item directory");
  });
});
