import { createHmac } from "node:crypto";
import { proofText, readProof } from "@proveniq/contracts";
import { SnapshotDirectory } from "@proveniq/tenant-context/directory";
import { beforeEach, describe, expect, it } from "vitest";
import { caseDirectory, routeCases } from "../decide/cases.ts";
import { createEdgeHandler, type EdgeOptions } from "./handler.ts";

let directory: SnapshotDirectory;
let sent: Request[];
let answers: (() => Response | Promise<Response>)[];

beforeEach(() => {
  directory = new SnapshotDirectory(() => undefined);
  directory.offerDocument(caseDirectory, "cases");
  sent = [];
  answers = [];
});

const open = (options: Partial<EdgeOptions> = {}) =>
  createEdgeHandler({
    directory,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      sent.push(request);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return answer === undefined ? new Response("{}") : answer();
    },
    ...options,
  });
const request = (path: string, init: RequestInit & { duplex?: "half" } = {}, host = "api.proveniq.io") =>
  new Request(`https://${host}${path}`, init);
const codeOf = async (answer: Response): Promise<unknown> => JSON.parse(await answer.text()).code;
const movedTo = (successor: string) => () =>
  new Response("{}", { status: 421, headers: { "x-proveniq-successor": successor } });

describe("the edge adapter", () => {
  // Requests that a URL parser has not already changed: on the edge nobody ever sees the others.
  const plain = routeCases.filter((c) => {
    const url = `https://${c.host}${c.path ?? "/v1/items"}`;
    return (
      typeof c.tenantHeader !== "object" &&
      c.path?.startsWith("/") !== false &&
      URL.canParse(url) &&
      new URL(url).href.endsWith(c.path ?? "/v1/items")
    );
  });

  it.each(plain.map((c) => [c.name, c] as const))("decides like all others: %s", async (_, c) => {
    const headers = new Headers({ host: c.host });
    if (typeof c.tenantHeader === "string") headers.set("x-tenant-id", c.tenantHeader);
    if (c.authorization !== undefined) headers.set("authorization", c.authorization);
    const asked = new Request(`https://edge.example${c.path ?? "/v1/items"}`, { headers });
    const answer = await open({ mode: () => "fetch" })(asked);
    const { outcome } = c;
    const seen =
      "problem" in outcome
        ? { problem: await codeOf(answer) }
        : { origin: new URL(sent[0]?.url ?? "").origin, tenant: sent[0]?.headers.get("x-tenant-id") };
    expect(seen).toEqual(
      "problem" in outcome
        ? outcome
        : {
            origin: `https://${outcome.cell}-${outcome.bulk === true ? "bulk" : "api"}.cells.proveniq.io`,
            tenant: outcome.tenant,
          },
    );
  });

  it("compares most of the table", () => {
    expect(plain.length).toBeGreaterThan(50);
  });

  it("refuses a body that somebody would have to inflate", async () => {
    const init = { method: "POST", body: "x", headers: { "content-encoding": "gzip" } };
    const answer = await open()(request("/v1/items", init));
    expect([answer.status, await codeOf(answer), sent]).toEqual([415, "unsupported-media-type", []]);
  });

  it("strips what is reserved, both ways, and says where the request came from", async () => {
    answers = [() => new Response("{}", { status: 201, headers: { "x-proveniq-epoch": "9", etag: '"1"' } })];
    const headers = {
      "x-proveniq-epoch": "99",
      x_proveniq_host: "evil",
      "x-tenant-id": "carrier-a",
      accept: "a/b",
    };
    const answer = await open()(request("/v1/items?a=%2F", { headers }));
    expect(sent[0]?.url).toBe("https://enterprise-a-api.cells.proveniq.io/v1/items?a=%2F");
    const got = Object.fromEntries(sent[0]?.headers ?? []);
    expect(got).toMatchObject({
      "x-proveniq-epoch": "3",
      "x-proveniq-host": "api.proveniq.io",
      "x-tenant-id": "carrier-a",
      accept: "a/b",
      "accept-encoding": "identity",
    });
    expect(Object.keys(got)).not.toContain("x_proveniq_host");
    expect([answer.status, answer.headers.get("etag"), answer.headers.get("x-proveniq-epoch")]).toEqual([
      201,
      '"1"',
      null,
    ]);
    expect(answer.headers.get("x-request-id")).toBe(got["x-request-id"]);
  });

  it("proves itself to cells of the residencies whose secret it has, however a request goes on", async () => {
    const secret = "s".repeat(43);
    const proofSecrets = [{ residency: "global", id: "aaaaaa", secret } as const];
    const handle = open({ proofSecrets });
    const given = { "x-tenant-id": "carrier-a", "x-proveniq-proof": "v1;forged" };
    await handle(request("/v1/items?a=%2F", { headers: given }));
    const put = await handle(request("/v1/imports/i/chunks/1", { method: "PUT", body: "x", headers: given }));
    const proofs = [
      ["enterprise-a-api.cells.proveniq.io", "/v1/items?a=%2F", sent[0]?.headers.get("x-proveniq-proof")],
      [
        "enterprise-a-bulk.cells.proveniq.io",
        "/v1/imports/i/chunks/1",
        put.headers.get("x-middleware-request-x-proveniq-proof"),
      ],
    ] as const;
    for (const [host, path, value] of proofs) {
      const proof = readProof(value ?? undefined);
      const mac = createHmac("sha256", secret)
        .update(proofText(proof?.time ?? 0, host, path))
        .digest("base64url");
      expect(proof).toMatchObject({ id: "aaaaaa", mac });
      expect(Math.abs((proof?.time ?? 0) - Date.now() / 1_000)).toBeLessThan(10);
    }
    await open()(request("/v1/items", { headers: given }));
    expect(sent[1]?.headers.has("x-proveniq-proof")).toBe(false);
  });

  it("lets the platform proxy bulk requests, with every header named", async () => {
    const headers = {
      "x-tenant-id": "carrier-a",
      "content-type": "application/x-ndjson",
      "x-proveniq-host": "evil",
    };
    const answer = await open()(request("/v1/imports/i/chunks/1", { method: "PUT", body: "x", headers }));
    expect(sent).toHaveLength(0);
    expect(answer.headers.get("x-middleware-rewrite")).toBe(
      "https://enterprise-a-bulk.cells.proveniq.io/v1/imports/i/chunks/1",
    );
    const names = answer.headers.get("x-middleware-override-headers")?.split(",") ?? [];
    expect(names).toEqual(
      expect.arrayContaining(["content-type", "x-tenant-id", "x-proveniq-host", "x-request-id"]),
    );
    expect(answer.headers.get("x-middleware-request-x-proveniq-host")).toBe("api.proveniq.io");
    // Nobody strips this answer: a cell that is told no epoch names no successor in it.
    expect(names).not.toContain("x-proveniq-epoch");
  });

  it("follows a move once, with a short body sent again", async () => {
    answers = [movedTo("consumer;4"), () => new Response("done")];
    const headers = { "x-tenant-id": "carrier-a", "content-length": "2" };
    const answer = await open()(request("/v1/items", { method: "POST", body: "{}", headers }));
    expect([answer.status, await answer.text(), sent.length]).toEqual([200, "done", 2]);
    expect(await sent[1]?.text()).toBe("{}");
    expect(sent[1]?.headers.get("x-proveniq-epoch")).toBe("4");
  });

  it("does not follow a move with a body that has gone by, and learns it", async () => {
    answers = [movedTo("consumer;4")];
    const body = new Blob(["{}"]).stream();
    const answer = await open()(
      request("/v1/items", { method: "POST", body, duplex: "half", headers: { "x-tenant-id": "carrier-a" } }),
    );
    expect([answer.status, answer.headers.has("x-proveniq-successor"), sent.length]).toEqual([421, false, 1]);
    expect(directory.lookup("carrier-a")).toMatchObject({ epoch: 4 });
  });

  it.each(["consumer;5", "enterprise-a;4", "nowhere;4", "consumer;9999999999"])(
    "neither follows nor shows a successor that it does not believe: %s",
    async (successor) => {
      answers = [movedTo(successor)];
      const answer = await open()(request("/v1/items", { headers: { "x-tenant-id": "carrier-a" } }));
      expect([answer.status, answer.headers.has("x-proveniq-successor"), sent.length]).toEqual([
        421,
        false,
        1,
      ]);
      expect(directory.lookup("carrier-a")).toMatchObject({ epoch: 3 });
    },
  );

  it("answers 502 when the cell cannot be reached, and does not ask twice", async () => {
    answers = [() => Promise.reject(new TypeError("fetch failed"))];
    const answer = await open()(request("/v1/items", { method: "POST", body: "{}" }));
    expect([answer.status, await codeOf(answer), sent.length]).toEqual([502, "cell-unreachable", 1]);
  });

  it("does not label as coded what the platform has decoded", async () => {
    answers = [
      () => new Response("plain", { headers: { "content-encoding": "gzip", "content-length": "3" } }),
    ];
    const answer = await open()(request("/v1/items"));
    expect([answer.headers.has("content-encoding"), answer.headers.has("content-length")]).toEqual([
      false,
      false,
    ]);
  });
});
