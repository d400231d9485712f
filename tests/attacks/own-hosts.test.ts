import { readFile, stat } from "node:fs/promises";
import { type ProofSecret, proofSecrets } from "@proveniq/contracts";
import { makeSecret, nodeProver } from "@proveniq/control-plane/proof";
import { localProver } from "@proveniq/local-cloud/fleet";
import { beforeAll, expect, inject, test } from "vitest";
import { codeOf, send, told } from "./wire.ts";

/** Cells' own hosts answer the fleet alone: here they are addresses, which a stranger could find as easily. */
const fleet = inject("fleet");
const cells = Object.entries(fleet.cells).flatMap(([id, { api, bulk }]) => [
  [`${id}'s API`, api],
  [`${id}'s imports`, bulk],
]);
let secrets: readonly ProofSecret[];
beforeAll(async () => {
  secrets = proofSecrets.parse(await readFile(fleet.identity.proofFile, "utf8"));
});

const ask = (origin: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  send(origin, { path, host: new URL(origin).host, headers: Object.entries(headers) });

test.each(cells)("%s tells a stranger what a host tells that nobody serves", async (_, origin = "") => {
  const [router, ...own] = await Promise.all([
    send(fleet.router, { path: "/v1/items", host: "nobody.example" }),
    ...["/v1/cell", "/ready", "/openapi.json", "/v1/items", "/v1/imports"].map((path) => ask(origin, path)),
  ]);
  const problemOf = (text: string) => JSON.parse(text.replace(/"traceId":"[0-9a-f]{32}",?/, ""));
  for (const answer of own) {
    expect([answer.status, codeOf(answer)]).toEqual([421, "misdirected-request"]);
    expect(problemOf(answer.body)).toEqual(problemOf(router?.body ?? ""));
  }
  expect(new Set(own.map((answer) => told(answer))).size).toBe(1);
});

test("the fleet is answered, a forged proof is not, and neither is one of another residency", async () => {
  const prove = await localProver(fleet);
  const url = `${fleet.cells["eu"]?.api}/v1/cell`;
  const origin = new URL(url).origin;
  expect((await ask(origin, "/v1/cell", prove("eu", url))).status).toBe(200);
  for (const headers of [
    prove("global", url),
    nodeProver([makeSecret("eu")])("eu", url),
    nodeProver(secrets.map((s) => ({ ...s, secret: "x".repeat(43) })))("eu", url),
  ])
    expect((await ask(origin, "/v1/cell", headers)).status).toBe(421);
});

test("no proof of a client's gets past the router, and secrets are for their owner's eyes", async () => {
  const answer = await send(fleet.router, {
    path: "/v1/cell",
    host: new URL(fleet.router).host,
    headers: [["x-proveniq-proof", "v1;aaaaaa;1764560000;forged"]],
  });
  expect(answer.status).toBe(200);
  expect((await stat(fleet.identity.proofFile)).mode & 0o077).toBe(0);
  const state = await readFile(fleet.directoryFile.replace(/[^/]+$/, "state.json"), "utf8");
  const logs = await Promise.all(
    ["router", "eu", "bulk-eu", "consumer"].map((name) =>
      readFile(fleet.directoryFile.replace(/[^/]+$/, `logs/${name}.log`), "utf8"),
    ),
  );
  for (const { secret } of secrets) for (const text of [state, ...logs]) expect(text).not.toContain(secret);
});
