import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { localPorts } from "@proveniq/local-cloud/fleet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** A fleet of one cell, started and stopped from outside as a person or a supervisor would. */
const bin = fileURLToPath(new URL("../../packages/fleet/bin/fleet.mjs", import.meta.url));
const portBase = 28_500;
const ports = localPorts(portBase);
const cell = ports.cell(0);
const listening = [
  ports.router,
  ports.control,
  ports.central.emulator,
  ports.central.relay,
  cell.api,
  cell.emulator,
  cell.relay,
];

let stateDir: string;
const started = new Set<ChildProcess>();

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "fleet-lifecycle-"));
});

afterAll(async () => {
  for (const child of started) child.kill("SIGKILL");
  await rm(stateDir, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Run one command line of the CLI; `ended` resolves with all that it printed. */
function fleet(...args: string[]): {
  child: ChildProcess;
  ended: Promise<Ended>;
  said(text: string): Promise<void>;
} {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  started.add(child);
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const ended = once(child, "close").then(([code]) => {
    started.delete(child);
    return { code: code as number | null, ...output };
  });
  return {
    child,
    ended,
    async said(text) {
      const over = ended.then((e) => {
        throw new Error(`ended without saying "${text}": ${e.stdout}${e.stderr}`);
      });
      const heard = (async () => {
        while (!output.stdout.includes(text)) await sleep(50);
      })();
      await Promise.race([heard, over]);
    },
  };
}

const up = (...args: string[]) =>
  fleet(
    "up",
    "--quiet",
    "--cells",
    "consumer",
    "--port-base",
    String(portBase),
    "--state-dir",
    stateDir,
    ...args,
  );

async function portsInUse(): Promise<number[]> {
  const found = await Promise.all(
    listening.map(async (port) => {
      const server = createServer();
      const free = await new Promise((resolve) => {
        server.once("error", () => resolve(false));
        server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
      });
      return free === true ? [] : [port];
    }),
  );
  return found.flat();
}

describe("a fleet, from outside", () => {
  let first: ReturnType<typeof fleet>;
  let key = "";
  const inState = ["--state-dir", ""];

  beforeAll(() => {
    inState[1] = stateDir;
  });

  const items = (init: RequestInit) =>
    fetch(`http://localhost:${portBase}/v1/items`, {
      ...init,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    });

  it("names the process that holds a port it needs", async () => {
    const server = createServer().listen(ports.central.relay, "127.0.0.1");
    await once(server, "listening");
    const { code, stderr } = await up().ended;
    server.close();
    expect(code).toBe(1);
    // Only Linux tells who holds it.
    const holder = process.platform === "linux" ? ` by process ${process.pid} (` : "";
    expect(stderr).toContain(`port ${ports.central.relay} is in use${holder}`);
    expect(await portsInUse()).toEqual([]);
  });

  it("starts, serves and says where", async () => {
    first = up();
    await first.said("Ready in");
    const response = await fetch(`http://localhost:${portBase}/v1/cell`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id: "consumer" });
    expect(await portsInUse()).toEqual(listening);
  });

  it("refuses a second start and says where the first one is", async () => {
    const { code, stderr } = await up().ended;
    expect(code).toBe(1);
    expect(stderr).toContain(
      `A fleet runs already at http://localhost:${portBase} (process ${first.child.pid},`,
    );
    const asJson = await up("--json").ended;
    expect(JSON.parse(asJson.stdout)).toEqual({ error: stderr.trim() });
  });

  it("says by which name a new tenant's own host is reached here, and it is", async () => {
    const wanted = ["acme", "--cell", "consumer", "--host", "acme.example.com", "--state-dir", stateDir];
    const { code, stdout } = await fleet("tenants", "add", ...wanted).ended;
    const local = `acme.example.com.localhost:${portBase}`;
    expect(code).toBe(0);
    expect(stdout).toContain(`Its host acme.example.com is http://${local} on this machine.`);
    // Without a credential: 421 until the router has read of the host, then the cell asks who it is.
    const status = async () => {
      const request = get({ port: portBase, host: "127.0.0.1", path: "/v1/items", headers: { host: local } });
      const [response] = await once(request, "response");
      response.resume();
      return response.statusCode;
    };
    await expect.poll(status, { timeout: 10_000 }).toBe(401);
  });

  it("saves its data under a name", async () => {
    const made = await fleet(
      "keys",
      "create",
      "acme",
      "--scope",
      "items:read,items:write",
      "--json",
      ...inState,
    ).ended;
    key = (JSON.parse(made.stdout) as { key: string }).key;
    const created = await items({
      method: "POST",
      body: JSON.stringify({ title: "Kept", category: "other" }),
    });
    expect(created.status).toBe(201);
    const saved = await fleet("snapshot", "save", "kept", ...inState).ended;
    expect([saved.code, saved.stderr]).toEqual([0, ""]);
    const lost = await items({ method: "POST", body: JSON.stringify({ title: "Lost", category: "other" }) });
    expect(lost.status).toBe(201);
    const load = await fleet("snapshot", "load", "kept", ...inState).ended;
    expect([load.code, load.stderr]).toEqual([1, expect.stringContaining("Stop it first")]);
  });

  it("leaves nothing behind within five seconds of kill -9", async () => {
    first.child.kill("SIGKILL");
    await first.ended;
    const deadline = Date.now() + 5_000;
    while ((await portsInUse()).length > 0 && Date.now() < deadline) await sleep(100);
    expect(await portsInUse()).toEqual([]);
  });

  it("knows that the fleet of a state file left behind is gone", async () => {
    expect(JSON.parse(await readFile(join(stateDir, "state.json"), "utf8"))).toMatchObject({
      phase: "ready",
    });
    const down = await fleet("down", "--json", "--state-dir", stateDir).ended;
    expect([down.code, JSON.parse(down.stdout)]).toEqual([0, { stopped: false }]);
    const tenants = await fleet("tenants", "list", "--state-dir", stateDir).ended;
    expect([tenants.code, tenants.stderr.trim()]).toEqual([
      1,
      "No fleet runs here. Start one with `npm start`.",
    ]);
  });

  it("starts again with what was saved and says what is lost, and stops in order on SIGTERM", async () => {
    const again = up();
    await again.said("the run before was not stopped in order");
    await again.said("Ready in");
    const listed = await items({});
    expect(listed.status).toBe(200);
    expect(await listed.json()).toMatchObject({ items: [{ title: "Kept" }] });
    again.child.kill("SIGTERM");
    const { code, stdout, stderr } = await again.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("stopping (SIGTERM)");
    expect(await portsInUse()).toEqual([]);
    await expect(readFile(join(stateDir, "state.json"))).rejects.toThrow("ENOENT");
  });
});
