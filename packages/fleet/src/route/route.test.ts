import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { program } from "../program.ts";
import { requestOf } from "./request.ts";

let folder: string;
let file: string;
const cell = (id: string, residency: string) => ({
  residency,
  api: `https://${id}-api.example.com`,
  bulk: `https://${id}-bulk.example.com`,
});
const snapshot = {
  version: 7,
  publishedAt: "2026-01-01T00:00:00.000Z",
  topology: {
    hosts: { "api.proveniq.io": { kind: "global" }, "eu.proveniq.io": { kind: "region", residency: "eu" } },
    defaults: {
      global: { cell: "consumer", tenant: "consumers" },
      eu: { cell: "eu", tenant: "consumers-eu" },
    },
    cells: { consumer: cell("consumer", "global"), eu: cell("eu", "eu") },
  },
  tenants: { "carrier-a": ["consumer", 3], "atelier-nord": ["eu", 1] },
  tenantHosts: {},
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "route-"));
  file = join(folder, "directory.json");
  await writeFile(file, JSON.stringify(snapshot));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...args: string[]): Promise<{ code: number; text: string }> {
  let text = "";
  const say = (line: string) => {
    text += `${line}\n`;
  };
  const code = await program(["route", "explain", ...args], { out: say, err: say });
  return { code: code ?? 0, text };
}

describe("fleet route explain", () => {
  it("prints each step, the rule, the version and the epoch", async () => {
    const { code, text } = await run(
      "https://api.proveniq.io/v1/items?x=1",
      "-H",
      "X-Tenant-ID: carrier-a",
      "--directory",
      file,
    );
    expect(code).toBe(0);
    expect(text.split("\n")).toEqual([
      "target     plain, for the api service",
      "hint       carrier-a, by its header",
      "directory  version 7",
      "host       api.proveniq.io admits tenants without a residency; without a tenant consumers in consumer",
      "placement  carrier-a: in consumer (residency global) since epoch 3",
      "decision   to consumer at https://consumer-api.example.com as carrier-a, because of placement",
      "Decided by the rule placement, directory version 7, epoch 3.",
      "",
    ]);
  });

  it.each([
    ["https://api.proveniq.io/a/../b", [], "ambiguous-path"],
    ["https://api.proveniq.io/t/carrier-a/v1", ["-H", "x-tenant-id: atelier-nord"], "tenant-conflict"],
    [
      "https://api.proveniq.io/v1",
      ["-H", "x-tenant-id: carrier-a", "-H", "x-tenant-id: carrier-a"],
      "invalid-tenant",
    ],
    ["https://evil.example/v1", [], "unknown-host"],
    ["https://api.proveniq.io/v1", ["-H", "Host: evil.example"], "unknown-host"],
    ["https://api.proveniq.io/v1", ["-H", "x-tenant-id: atelier-nord"], "wrong-host"],
    ["https://api.proveniq.io/v1", ["-H", "authorization: Bearer opaque"], "default"],
    ["https://eu.proveniq.io", [], "default"],
  ])("%s %j is decided by %s", async (url, headers, rule) => {
    const { text } = await run(url, ...headers, "--directory", file, "--json");
    expect(JSON.parse(text)).toMatchObject({ plane: "router", rule, directoryVersion: 7 });
  });

  it("says how the edge would deliver it", async () => {
    const steps = async (path: string) =>
      JSON.parse(
        (await run(`https://api.proveniq.io${path}`, "--plane", "edge", "--directory", file, "--json")).text,
      ).steps;
    expect((await steps("/v1/items")).at(-1)).toMatchObject({
      step: "delivery",
      finding: expect.stringMatching(/^fetched/),
    });
    expect((await steps("/v1/imports")).at(-1)).toMatchObject({
      step: "delivery",
      finding: expect.stringMatching(/^rewritten/),
    });
  });

  it("never prints a credential", async () => {
    const { text } = await run(
      "https://api.proveniq.io/v1",
      "-H",
      "authorization: Bearer very-secret",
      "--directory",
      file,
    );
    expect(text).not.toContain("very-secret");
  });

  it.each([
    [["nonsense", "--directory", "x"], 2, '"nonsense" is no URL'],
    [["https://a.example/", "-H", "no colon", "--directory", "x"], 2, '-H takes "name: value"'],
    [["https://a.example/", "--plane", "moon"], 2, "Allowed choices are router, edge, url-map."],
    [["https://a.example/", "--directory", "/nowhere.json"], 1, "cannot be read"],
    [["https://a.example/", "--state-dir", "/nowhere"], 1, "No fleet runs here."],
  ])("answers %j with exit code %d and a sentence", async (args, code, sentence) => {
    const answer = await run(...args);
    expect(answer.code).toBe(code);
    expect(answer.text).toContain(sentence);
  });

  it("does not explain by a directory that a router would refuse", async () => {
    const broken = join(folder, "broken.json");
    await writeFile(broken, '{"version": 1}');
    const answer = await run("https://a.example/", "--directory", broken);
    expect(answer.code).toBe(1);
    expect(answer.text).toContain("A router would not believe");
    expect(answer.text).toContain("the snapshot is not valid");
  });
});

describe("requestOf", () => {
  it("tidies nothing up", () => {
    expect(requestOf("http://API.example:8080/a/./%2e//b?q#f", [])).toEqual({
      host: "API.example:8080",
      path: "/a/./%2e//b?q",
      tenantHeader: undefined,
      authorization: undefined,
    });
    expect(requestOf("https://a.example?q", []).path).toBe("/?q");
  });
});

describe("the plane of a URL map", () => {
  const map = {
    name: "edge-global",
    default_service: "router",
    default_route_action: [{ fault_injection_policy: [{ abort: [{ http_status: 421, percentage: 100 }] }] }],
    host_rule: [{ hosts: ["api.proveniq.io"], path_matcher: "clients" }],
    path_matcher: [
      {
        name: "clients",
        default_service: "backendServices/router-global",
        route_rules: [
          {
            priority: 0,
            service: "backendServices/enterprise-a-api",
            match_rules: [{ prefix_match: "/t/carrier-a/" }],
          },
        ],
      },
    ],
  };

  it("tells where the load balancer sends it, and then what a router would have said", async () => {
    const urlMap = join(folder, "edge.json");
    const resources = [{ type: "google_compute_url_map", values: map }];
    await writeFile(urlMap, JSON.stringify({ values: { root_module: { resources } } }));
    const more = ["--directory", file, "--plane", "url-map", "--url-map", urlMap];
    const pinned = await run("https://api.proveniq.io/t/carrier-a/v1/items", ...more);
    expect(pinned.text).toContain(
      "edge-global sends it to backendServices/enterprise-a-api, by clients, rule 0",
    );
    const unknown = await run("https://evil.example/", ...more);
    expect(unknown.text).toContain("edge-global answers 421: no such host");
    const missing = await run("https://api.proveniq.io/", "--directory", file, "--plane", "url-map");
    expect([missing.code, missing.text]).toEqual([2, "--plane url-map and --url-map FILE go together.\n"]);
    const empty = await run("https://api.proveniq.io/", ...more.slice(0, 4), "--url-map", file);
    expect([empty.code, empty.text]).toEqual([1, expect.stringContaining("it holds no URL map")]);
  });
});
