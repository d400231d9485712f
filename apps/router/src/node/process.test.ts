import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { caseDirectory } from "../decide/cases.ts";
import { plainAnswer, type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { ask } from "./testing/client.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
let folder: string;
let cell: ScriptedCell;
let child: ChildProcess | undefined;
let lines: { message?: string; status?: number; port?: number; cut?: number }[];

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "router-process-"));
  cell = await startScriptedCell();
  lines = [];
});
afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await cell.close();
  await rm(folder, { recursive: true });
});

/** Cells are on this machine here, which production does not allow. */
const fleet = { PROVENIQ_ENV: "development", FLEET_ZONE: "proveniq.io" };

/** The router as a process, its log read line by line; resolves with its port. */
async function start(env: Record<string, string> = {}): Promise<number> {
  const { topology } = caseDirectory;
  const consumer = { residency: "global", api: cell.origin, bulk: cell.origin };
  const file = join(folder, "directory.json");
  await writeFile(
    file,
    JSON.stringify({ ...caseDirectory, topology: { ...topology, cells: { ...topology.cells, consumer } } }),
  );
  child = spawn(process.execPath, [main], {
    env: { PATH: process.env["PATH"], PORT: "0", HOST: "127.0.0.1", DIRECTORY_FILE: file, ...fleet, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { stdout } = child;
  if (stdout === null) throw new Error("no output");
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on("line", (line) => {
      const event: (typeof lines)[number] = JSON.parse(line);
      lines.push(event);
      if (event.message === "listening") resolve(event.port ?? 0);
    });
  });
}

describe("the router as a process", () => {
  it("drops no request when it is told to end under load, and ends by itself", async () => {
    const port = await start();
    cell.script = (_request, socket) => void setTimeout(() => socket.write(plainAnswer), 15);
    const failures: string[] = [];
    let answered = 0;
    const client = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let n = 0; n < 10_000; n += 1) {
        try {
          const reply = await ask(port, { agent });
          if (reply.status === 200) answered += 1;
          else failures.push(`status ${reply.status}`);
          if (reply.headers.connection === "close") break;
        } catch (error) {
          failures.push(error instanceof Error ? error.message : "failed");
          break;
        }
      }
      agent.destroy();
    };
    const clients = Array.from({ length: 16 }, client);
    await vi.waitFor(() => expect(answered).toBeGreaterThan(50), { timeout: 20_000, interval: 10 });
    const ended = new Promise<number | null>((resolve) => child?.once("exit", resolve));
    child?.kill("SIGTERM");
    await Promise.all(clients);
    const code = await ended;
    expect(failures).toEqual([]);
    expect(code).toBe(0);
    expect(lines.at(-1)).toMatchObject({ message: "stopped", cut: 0 });
    expect(lines.filter((l) => l.message === "request")).toHaveLength(answered);
  });

  it("serves beside a thousand idle connections", async () => {
    const port = await start();
    const idle = await Promise.all(
      Array.from(
        { length: 1_000 },
        () =>
          new Promise<Socket>((resolve, reject) => {
            const socket = connect({ port, host: "127.0.0.1" }, () => resolve(socket));
            socket.on("error", reject);
          }),
      ),
    );
    const replies = await Promise.all(Array.from({ length: 50 }, () => ask(port)));
    expect(new Set(replies.map((r) => r.status))).toEqual(new Set([200]));
    expect(idle.every((socket) => !socket.destroyed)).toBe(true);
    for (const socket of idle) socket.destroy();
  });

  it("says what is wrong with its environment, all at once, and ends with 1", async () => {
    child = spawn(process.execPath, [main], {
      env: { PATH: process.env["PATH"], PORT: "x", LOG_LEVEL: "loud" },
    });
    let text = "";
    child.stderr?.on("data", (piece: Buffer) => {
      text += piece.toString();
    });
    const [code] = await once(child, "exit");
    expect(code).toBe(1);
    for (const name of ["PORT", "LOG_LEVEL"]) expect(text).toContain(name);
  });

  it("names a port that is in use", async () => {
    const port = await start();
    const second = spawn(process.execPath, [main], {
      env: {
        PATH: process.env["PATH"],
        PORT: String(port),
        HOST: "127.0.0.1",
        DIRECTORY_FILE: join(folder, "directory.json"),
        ...fleet,
      },
    });
    let text = "";
    second.stderr?.on("data", (piece: Buffer) => {
      text += piece.toString();
    });
    const [code] = await once(second, "exit");
    expect(code).toBe(1);
    expect(text).toContain(String(port));
  });
});
