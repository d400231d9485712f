import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askedOnce, whoIsOverHttp } from "./ask-cells.ts";

let server: Server;
let origin: string;
let answer: { status: number; body: string; location?: string };
let seen: { url: string | undefined; proof: string | string[] | undefined }[];

beforeAll(async () => {
  server = createServer((req, res) => {
    seen.push({ url: req.url, proof: req.headers["x-proof"] });
    res.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location });
    res.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const ask = (body: string, status = 200, location?: string) => {
  seen = [];
  answer = { status, body, ...(location === undefined ? {} : { location }) };
  const prove = (residency: string, url: string) => ({ "x-proof": `${residency} ${new URL(url).pathname}` });
  return whoIsOverHttp({ prove, timeoutMs: 2_000 })(origin, "eu");
};

describe("whoIsOverHttp", () => {
  test("reads a cell's description, and shows what it was given to show", async () => {
    const cell = { id: "eu", residency: "eu" };
    expect(await ask(JSON.stringify({ ...cell, region: "europe-west1" }))).toEqual(cell);
    expect(seen).toEqual([{ url: "/v1/cell", proof: "eu /v1/cell" }]);
  });

  test.each([
    ["a page", "<html>", 200],
    ["no cell", "{}", 200],
    ["a problem", '{"id":"eu","residency":"eu"}', 401],
  ])("does not take %s for one", async (_, body, status) => {
    await expect(ask(body, status)).rejects.toThrow(`answers, but not as a cell (status ${status})`);
  });

  test("follows nobody to another host", async () => {
    await expect(ask("", 302, "http://localhost:1/v1/cell")).rejects.toThrow("does not answer");
  });

  test("says that nobody answers", async () => {
    await expect(whoIsOverHttp()("http://127.0.0.1:1", "eu")).rejects.toThrow(/^does not answer \(/);
  });

  test("asks once for many who want to know", async () => {
    let asked = 0;
    const whoIs = askedOnce(async () => {
      asked += 1;
      return { id: "eu", residency: "eu" as const };
    });
    await Promise.all([whoIs("a", "eu"), whoIs("a", "eu"), whoIs("b", "eu")]);
    expect(asked).toBe(2);
  });
});
