import { accessLine } from "@proveniq/contracts/access-line";
import { describe, expect, it } from "vitest";
import { codeOf } from "./testing/client.ts";
import { strandedApp, strandedTenants } from "./testing/stranded-app.ts";

const { call } = strandedApp();

describe("outside of tenants", () => {
  it("200: describes the cell to anybody, under both prefixes", async () => {
    const answer = await call("GET", "/v1/cell", { as: null });
    expect(answer.body).toEqual({
      id: "eu",
      region: "europe-west1",
      residency: "eu",
      artefactDigest: "0".repeat(64),
      commit: "test",
      uptimeSeconds: 90,
    });
    expect((await call("GET", "/t/carrier-a/v1/cell", { as: null })).body).toEqual(answer.body);
  });

  it("200: lives", async () => {
    expect((await call("GET", "/health", { as: null })).body).toEqual({ status: "alive" });
  });

  it("200: is ready when each dependency answers", async () => {
    const dependencies = [{ name: "firestore/a", check: async () => undefined }];
    const answer = await strandedApp({ dependencies }).call("GET", "/ready", { as: null });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      status: "ready",
      dependencies: [{ name: "firestore/a", state: "ready", ms: 0 }],
      traffic: { seconds: 300, requests: 0, failed: 0 },
    });
  });

  it("503: names the dependency that does not answer", async () => {
    const dependencies = [
      { name: "firestore/a", check: async () => undefined },
      { name: "firestore/b", check: () => Promise.reject(new Error("secret detail")) },
    ];
    const answer = await strandedApp({ dependencies }).call("GET", "/ready", { as: null });
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ status: "not-ready", dependencies: [{}, { state: "unavailable" }] });
    expect(answer.text).not.toContain("secret");
  });

  it("404: for a path that does not exist, in any shape", async () => {
    for (const path of ["/", "/v1", "/v1/items/", "/v2/items", "/t/carrier-a", "/v1/a%20b"]) {
      expect([path, (await call("GET", path)).status]).toEqual([path, 404]);
    }
  });

  it("400: for a path that can be read in two ways", async () => {
    for (const path of ["/%zz", "/v1//items", "/v1/%69tems", "/t/carrier-a//v1/items"]) {
      const answer = await call("GET", path);
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 400, "invalid-request"]);
    }
  });

  it("405: with the methods that are supported", async () => {
    const put = await call("PUT", "/v1/items/b7Jq2mX9aL0cV4tR8sWd").catch((e: unknown) => e);
    expect(put).toMatchObject({ status: 405 });
    const { headers } = await call("DELETE", "/t/carrier-a/v1/items");
    expect(headers.get("allow")).toBe("POST, GET, HEAD, OPTIONS");
  });

  it("204: OPTIONS tells the methods of a path and needs no credential", async () => {
    const answer = await call("OPTIONS", "/v1/items/b7Jq2mX9aL0cV4tR8sWd", { as: null });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("allow")).toBe("GET, PATCH, DELETE, HEAD, OPTIONS");
    expect((await call("OPTIONS", "/nowhere", { as: null })).status).toBe(404);
  });

  it("HEAD answers as GET, without the body", async () => {
    const answer = await call("HEAD", "/v1/cell", { as: null });
    expect([answer.status, answer.text]).toEqual([200, ""]);
  });
});

describe("before a tenant is reached", () => {
  it("401: without a credential, for every tenant alike, before the body is looked at", async () => {
    const one = await call("POST", "/v1/items", { as: null, tenant: "carrier-a", body: "{" });
    const other = await call("POST", "/v1/items", { as: null, tenant: "nobody", body: "{" });
    expect([one.status, one.text]).toEqual([401, other.text]);
    expect(one.headers.get("www-authenticate")).toContain("Bearer");
  });

  it("421: for a tenant that is not held here", async () => {
    expect(codeOf(await call("GET", "/v1/items", { tenant: "nobody" }))).toBe("misdirected-request");
  });

  it("400: malformed, conflicting and missing tenants", async () => {
    expect(codeOf(await call("GET", "/t/No%20Body/v1/items"))).toBe("invalid-tenant");
    expect(codeOf(await call("GET", "/v1/items", { tenant: "admin" }))).toBe("invalid-tenant");
    const headers = { "x-tenant-id": "carrier-b" };
    expect(codeOf(await call("GET", "/t/carrier-a/v1/items", { headers }))).toBe("tenant-conflict");
    expect(codeOf(await call("GET", "/v1/items"))).toBe("tenant-required");
  });

  it("500: says nothing of what went wrong, to the client", async () => {
    const lines: unknown[] = [];
    const log = (fields: object) => lines.push(fields);
    const { call } = strandedApp({
      tenants: {
        ...strandedTenants,
        authenticate: () => {
          throw new TypeError("inner secret");
        },
      },
      logger: { debug: log, info: log, warn: log, error: log },
    });
    const answer = await call("GET", "/v1/items", { tenant: "carrier-a" });
    expect(codeOf(answer)).toBe("internal-error");
    expect(answer.text).not.toContain("secret");
    expect(JSON.stringify(lines)).toContain("inner secret");
  });
});

describe("every answer", () => {
  it("is private, is not sniffed, varies by who asks, and carries the request's id", async () => {
    for (const path of ["/health", "/v1/items", "/nowhere"]) {
      const { headers } = await call("GET", path, { headers: { "x-request-id": "abc-12345" } });
      expect(headers.get("cache-control")).toBe("private, no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("vary")).toBe("Authorization, Origin, X-Tenant-ID");
      expect(headers.get("x-request-id")).toBe("abc-12345");
    }
  });

  it("loads nothing, frames nothing and tells no other site where it was", async () => {
    for (const path of ["/health", "/v1/items", "/nowhere", "/openapi.json"]) {
      const { headers } = await call("GET", path);
      expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("strict-transport-security")).toMatch(/^max-age=\d{8}/);
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    }
  });

  it("gets an id of ours when the client's is not fit for a log", async () => {
    const { headers } = await call("GET", "/health", { headers: { "x-request-id": "a b\t{}" } });
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("the log", () => {
  it("has one line a request, without credentials, tenant ids, people or queries", async () => {
    const lines: object[] = [];
    const log = (fields: object) => lines.push(fields);
    const { call } = strandedApp({ logger: { debug: log, info: log, warn: log, error: log } });
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    await call("GET", "/v1/items?externalId=SECRET-1", {
      tenant: "carrier-a",
      as: "maria@example.com",
      headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ method: "GET", route: "/v1/items", status: 421, traceId: trace });
    expect(accessLine.partial().safeParse(lines[0]).error).toBeUndefined();
    expect(JSON.stringify(lines)).not.toMatch(/SECRET|maria|eyJ|pvq_|carrier-a/);
  });
});

describe("the trace", () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const withLines = () => {
    const lines: Record<string, unknown>[] = [];
    const log = (fields: object) => lines.push({ ...fields });
    return { lines, ...strandedApp({ logger: { debug: log, info: log, warn: log, error: log } }) };
  };

  it.each(["/v1/items", "/nowhere", "/v1/items/__x__"])(
    "of an error at %s has one id in the answer, its header and the log",
    async (path) => {
      const { call, lines } = withLines();
      const answer = await call("GET", path, { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } });
      expect(answer.body).toMatchObject({ traceId: trace });
      expect(answer.headers.get("traceresponse")).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`));
      expect(lines).toMatchObject([{ traceId: trace }]);
    },
  );

  it("is begun where there is none", async () => {
    const { app, lines } = withLines();
    const answer = await app.request("/nowhere");
    expect(lines[0]?.["traceId"]).toMatch(/^[0-9a-f]{32}$/);
    expect(await answer.json()).toMatchObject({ traceId: lines[0]?.["traceId"] });
  });
});
