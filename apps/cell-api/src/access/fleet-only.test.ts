import { createHmac } from "node:crypto";
import { proofSecrets, proofText, proverOf, writeProof } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../log.ts";
import { strandedApp } from "../testing/stranded-app.ts";

const text = (id: string, letter: string, residency = "eu") => `${residency}:${id}.${letter.repeat(43)}`;
const secrets = proofSecrets.parse(`${text("aaaaaa", "a")},${text("bbbbbb", "b")}`);
const hmac = (secret: string, of: string) => createHmac("sha256", secret).update(of).digest("base64url");
const now = 1_764_560_000_000;
const own = "https://eu-api.cells.proveniq.io";
const lines: object[] = [];
const logger = { ...silentLogger, info: (line: object) => void lines.push(line) };
const { app } = strandedApp({ proof: { secrets, zone: "cells.proveniq.io" }, now: () => now, logger });

const ask = async (url: string, headers: Readonly<Record<string, string>> = {}, method = "GET") => {
  const answer = await app.request(url, { headers, method });
  return { status: answer.status, body: await answer.text(), headers: answer.headers };
};
const prove = (url: string, at = now, by = secrets) => proverOf(by, hmac, () => at)("eu", url);

describe("a cell's own host", () => {
  it.each([
    ["now", now],
    ["a minute ago", now - 60_000],
    ["a minute ahead", now + 60_000],
  ])("answers the fleet, whose clock says %s", async (_, at) => {
    const url = `${own}/v1/cell?a=1`;
    expect((await ask(url, prove(url, at))).status).toBe(200);
  });

  it("believes both secrets while one is rotated", async () => {
    const url = `${own}/v1/cell`;
    expect((await ask(url, prove(url, now, secrets.slice(1)))).status).toBe(200);
  });

  const url = `${own}/v1/cell`;
  const [first] = secrets;
  const at = Math.floor(now / 1_000);
  it.each([
    ["no proof", "no proof", {}],
    ["rubbish", "malformed proof", { "x-proveniq-proof": "v1;aaaaaa" }],
    ["two proofs", "malformed proof", { "x-proveniq-proof": `${prove(url)["x-proveniq-proof"]}, x` }],
    ["an old proof", "proof of another time", prove(url, now - 61_000)],
    ["a proof of the future", "proof of another time", prove(url, now + 61_000)],
    [
      "a secret of before",
      "proof by an unknown secret",
      prove(url, now, proofSecrets.parse(text("cccccc", "a"))),
    ],
    ["another's secret", "wrong proof", prove(url, now, proofSecrets.parse(text("aaaaaa", "c")))],
    ["a proof of another path", "wrong proof", prove(`${own}/ready`)],
    ["a proof with another query", "wrong proof", prove(`${url}?a=1`)],
    ["a proof for another cell", "wrong proof", prove("https://us-api.cells.proveniq.io/v1/cell")],
    [
      "a proof with its time changed",
      "wrong proof",
      {
        "x-proveniq-proof": writeProof(
          "aaaaaa",
          at + 1,
          hmac(first?.secret ?? "", proofText(at, "eu-api.cells.proveniq.io", "/v1/cell")),
        ),
      },
    ],
  ] as const)("refuses %s as a host that nobody serves, and the log says why", async (_, reason, headers) => {
    const answer = await ask(url, headers);
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([421, "misdirected-request"]);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(lines.at(-1)).toMatchObject({ status: 421, reason });
    expect(JSON.stringify(lines)).not.toMatch(/aaaaaaaa|bbbbbbbb/);
  });

  it.each(["/ready", "/openapi.json", "/docs", "/v1/items", "/nowhere", "/t/carrier-a/v1/items"])(
    "says nothing else to strangers: %s",
    async (path) => {
      const answer = await ask(own + path, { "x-tenant-id": "carrier-a", authorization: "Bearer x" });
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([421, "misdirected-request"]);
    },
  );

  it("refuses a preflight too, and what would have to be inflated", async () => {
    const preflight = { origin: "https://a.example", "access-control-request-method": "POST" };
    expect((await ask(`${own}/v1/items`, preflight, "OPTIONS")).status).toBe(421);
    expect((await ask(`${own}/v1/items`, { "content-encoding": "gzip" }, "POST")).status).toBe(421);
  });

  it.each([
    "https://127.0.0.1:8111",
    "https://eu-api-x-ew.a.run.app",
    "https://EU-API.CELLS.proveniq.io.:443",
  ])("is a cell's by any of its names: %s", async (origin) => {
    expect((await ask(`${origin}/v1/cell`)).status).toBe(421);
  });

  it.each(["https://api.proveniq.io", "https://carrier-a.proveniq.io"])(
    "tells strangers at clients' hosts whether it is ready and no more: %s",
    async (host) => {
      const stranger = await ask(`${host}/ready`);
      expect(JSON.parse(stranger.body)).toEqual({ status: expect.stringMatching(/^(ready|not-ready)$/) });
      const fleet = JSON.parse((await ask(`${own}/ready`, prove(`${own}/ready`))).body) as object;
      expect(Object.keys(fleet)).toContain("dependencies");
      // By way of a router, which proves itself whoever asks it.
      const routed = { ...prove(`${own}/ready`), "x-proveniq-host": new URL(host).host };
      expect(JSON.parse((await ask(`${own}/ready`, routed)).body)).not.toHaveProperty("dependencies");
    },
  );

  it("tells anybody that it lives", async () => {
    expect((await ask(`${own}/health`)).status).toBe(200);
  });
});

describe("a client's host", () => {
  it.each(["https://eu.proveniq.io", "https://carrier-a.proveniq.io", "https://cells.proveniq.io.example"])(
    "needs no proof: %s",
    async (origin) => {
      expect((await ask(`${origin}/v1/cell`)).status).toBe(200);
    },
  );
});
