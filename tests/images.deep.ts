import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { startEdgeConfig } from "@proveniq/local-cloud/edge-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caseDirectory } from "../apps/router/src/decide/cases.ts";
import { plainAnswer, startScriptedCell } from "../apps/router/src/node/conformance/scripted-cell.ts";

/*
 * The router's image, run as Cloud Run runs it, as far as a machine without a container engine goes: its files alone, a root that
 * nothing can be written to, the user that the image names. It takes root, for chroot, and Debian's mirror, the first time.
 */
const canRun = process.platform === "linux" && process.arch === "x64" && process.getuid?.() === 0;
const repository = join(import.meta.dirname, "..");

describe.skipIf(!canRun)("the router's image", () => {
  const folder = mkdtempSync(join(tmpdir(), "images-"));
  const root = join(folder, "root");
  let config: { Entrypoint: string[]; User: string };
  let digests: string[] = [];
  let child: ChildProcess | undefined;

  const make = (out: string) =>
    /sha256:\w{64}/.exec(
      execFileSync(process.execPath, ["scripts/images.ts", "--out", join(folder, out)], {
        cwd: repository,
        encoding: "utf8",
      }),
    )?.[0] ?? "";
  const read = (name: string) => readFileSync(join(folder, "one/router", name), "utf8");
  const blob = (digest: string) => `blobs/sha256/${digest.slice(7)}`;

  beforeAll(() => {
    execFileSync(
      "npx",
      ["turbo", "run", "build", "--filter=@proveniq/router", "--filter=@proveniq/control-plane"],
      { cwd: repository },
    );
    digests = [make("one"), make("two")];
    const manifest = JSON.parse(read(blob(JSON.parse(read("index.json")).manifests[0].digest)));
    config = JSON.parse(read(blob(manifest.config.digest))).config;
    // What a runtime makes by itself.
    mkdirSync(join(root, "proc"), { recursive: true });
    for (const { digest } of manifest.layers as { digest: string }[])
      execFileSync("tar", ["-xzf", join(folder, "one/router", blob(digest)), "-C", root]);
  });
  afterAll(() => {
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  /** A command in the image, or its own; `ready` gives the process's id once it runs. */
  const start = (env: Record<string, string>, args = config.Entrypoint) => {
    const steps = [
      'mount --bind "$0" "$0"',
      'mount -o remount,bind,ro "$0"',
      'mount -t proc proc "$0/proc"',
      `exec chroot --userspec=${config.User} "$0" "$@"`,
    ].join(" && ");
    return spawn(
      "unshare",
      ["--mount", "--pid", "--fork", "--kill-child", "bash", "-c", steps, root, ...args],
      {
        env: { PATH: process.env["PATH"], ...env },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
  };

  it("has one digest, however often it is made", () => {
    expect(digests[0]).toMatch(/^sha256:/);
    expect(digests[1]).toBe(digests[0]);
  });

  it("runs as nobody, and can write nowhere", async () => {
    const script =
      "const w=p=>{try{fs.writeFileSync(p,'');return 'written'}catch(e){return e.code}};" +
      "console.log(JSON.stringify([process.getuid(),process.getgid(),w('/x'),w('/app/server.js'),w('/usr/bin/x')]))";
    const told = await start({}, ["/usr/bin/node", "-e", script]).stdout.toArray();
    expect(JSON.parse(told.join(""))).toEqual([65_532, 65_532, "EROFS", "EROFS", "EROFS"]);
  });

  it("routes, and drains when it is told to end", async () => {
    const cell = await startScriptedCell();
    cell.script = (_request, socket) => void setTimeout(() => socket.write(plainAnswer), 500);
    const { topology } = caseDirectory;
    const consumer = { residency: "global" as const, api: cell.origin, bulk: cell.origin };
    const directory = { ...caseDirectory, topology: { ...topology, cells: { ...topology.cells, consumer } } };
    const edge = await startEdgeConfig({ items: { directory } });
    try {
      const env = { EDGE_CONFIG: edge.connection, PORT: "0", HOST: "127.0.0.1", FLEET_ZONE: "proveniq.io" };
      const started = start({ ...env, PROVENIQ_ENV: "development" });
      child = started;
      const lines: { message: string; port?: number; cut?: number }[] = [];
      const port = await new Promise<number>((resolve, reject) => {
        started.once("exit", (code) => reject(new Error(`ended with ${code}`)));
        createInterface({ input: started.stdout }).on("line", (line) => {
          const said = JSON.parse(line) as (typeof lines)[number];
          lines.push(said);
          if (said.message === "listening") resolve(said.port ?? 0);
        });
      });
      const ask = (path: string) =>
        new Promise<number>((resolve, reject) => {
          const headers = { host: "api.proveniq.io", "x-tenant-id": "small-shop" };
          request({ host: "127.0.0.1", port, path, headers }, (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          })
            .on("error", reject)
            .end();
        });
      expect(await ask("/health")).toBe(200);
      const underWay = ask("/v1/items");
      await sleep(200);
      // The one process in the image is number one of its own, as in a container.
      const inner = readFileSync(`/proc/${started.pid}/task/${started.pid}/children`, "utf8").trim();
      process.kill(Number(inner), "SIGTERM");
      expect(await underWay).toBe(200);
      const [code] = (await once(started, "exit")) as [number];
      expect([code, lines.at(-1)?.message, lines.at(-1)?.cut]).toEqual([0, "stopped", 0]);
    } finally {
      await Promise.all([cell.close(), edge.close()]);
    }
  });
});
