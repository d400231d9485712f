import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { problem } from "@proveniq/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildArtefact } from "../build.ts";
import { withoutBodies } from "./functions-platform.ts";
import { testManifest } from "./testing/manifest.ts";

const framework = createRequire(import.meta.url).resolve("@google-cloud/functions-framework");
let folder: string;
let platform: ChildProcess;
let base: string;
let printed = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cell-functions-"));
  await buildArtefact(fileURLToPath(new URL("../../..", import.meta.url)), folder);
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  const source = join(folder, "artefact/functions.js");
  platform = spawn(process.execPath, [join(framework, "../main.js"), "--target=api", `--source=${source}`], {
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      CELL_ID: "eu",
      CELL_MANIFEST: JSON.stringify(testManifest),
      PROVENIQ_ENV: "production",
      ARTEFACT_DIGEST: "a".repeat(64),
      GIT_COMMIT: "test",
    },
  });
  for (const stream of [platform.stdout, platform.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  for (let tries = 0; tries < 400; tries += 1) {
    if (
      await fetch(`${base}/health`).then(
        (r) => r.ok,
        () => false,
      )
    )
      return;
    await sleep(50);
  }
  throw new Error(`the platform did not start: ${printed}`);
}, 60_000);
afterAll(async () => {
  platform.kill("SIGKILL");
  await once(platform, "exit");
  await rm(folder, { recursive: true, force: true });
});

function post(body: string, type = "application/json"): Promise<Response> {
  const headers = { "content-type": type, authorization: "Bearer x" };
  return fetch(`${base}/v1/items`, { method: "POST", body, headers });
}

/** A path exactly as it is written: `fetch` would put it in order first. */
async function getRaw(path: string): Promise<[status: number | undefined, body: string]> {
  const [response]: IncomingMessage[] = await once(get(base, { path }), "response");
  const chunks: Buffer[] = (await response?.toArray()) ?? [];
  return [response?.statusCode, Buffer.concat(chunks).toString()];
}

describe("under the functions framework", () => {
  it.each([
    "maria@example.com",
    '{"title":"maria@example.com"',
    '{"title":\n"maria@example.com",}',
    '"maria@example.com',
    "SyntaxError maria@example.com",
  ])(
    "a body that is not JSON (%j) shows up neither in the log nor, with a stack, in the answer",
    async (body) => {
      const before = printed.length;
      const response = await post(body);
      expect(response.status).toBe(400);
      const text = await response.text();
      expect(text).not.toMatch(/node_modules|at JSON\.parse|maria/);
      await expect.poll(() => printed.slice(before)).toContain("could not parse a request's body");
      expect(printed.slice(before)).not.toMatch(/maria/);
    },
  );

  it.each(["/x/../v1/cell", "/v1/%63ell", "/v1//cell", "/v1\\cell"])(
    "a path that can be read in two ways is refused: %s",
    async (path) => {
      expect(await getRaw(path)).toEqual([400, expect.stringContaining('"code":"invalid-request"')]);
    },
  );

  it("a broken escape is refused by the platform itself, without a stack", async () => {
    const [status, body] = await getRaw("/v1/items/%zz");
    expect(status).toBe(400);
    expect(body).not.toMatch(/node_modules|\bat /);
  });

  it("everything else is the app's to answer, and no line repeats it", async () => {
    const before = printed.length;
    for (const [body, type] of [
      ['{"title":"maria@example.com"}', "application/json"],
      ["maria@example.com", "text/plain"],
      ["a=maria@example.com", "application/x-www-form-urlencoded"],
    ] as const) {
      const response = await post(body, type);
      expect(problem.parse(await response.json()).status).toBeGreaterThanOrEqual(400);
    }
    await expect.poll(() => printed.slice(before).match(/"message":"request"/g)?.length).toBe(3);
    expect(printed.slice(before)).not.toContain("maria");
  });
});

describe("withoutBodies", () => {
  it("leaves all other complaints as they are", () => {
    const error = new TypeError("x");
    expect(withoutBodies(["a", error, 7, { SyntaxError: 1 }])).toEqual(["a", error, 7, { SyntaxError: 1 }]);
    expect(String(withoutBodies([new SyntaxError("secret")]))).not.toContain("secret");
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
