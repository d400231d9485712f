import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../setup/ports.ts";
import type { Release } from "./release.ts";
import type { Scene } from "./scene.ts";

export type Service = "api" | "bulk" | "replicate" | "sink";

interface Running {
  child: ChildProcess;
  port: number;
  said: string;
}

/** The services of one artefact over a scene's databases, each a process as in production. */
export class Cell {
  readonly release: Release;
  readonly #scene: Scene;
  readonly #running = new Map<Service, Running>();

  constructor(release: Release, scene: Scene) {
    this.release = release;
    this.#scene = scene;
  }

  /** Start services and wait until they serve. `more`: variables of their environment besides the usual ones. */
  async start(services: readonly Service[], more: Record<string, string> = {}): Promise<void> {
    await Promise.all(services.map((service) => this.#start(service, more)));
  }

  /** Where a service that serves requests does so. */
  url(service: "api" | "bulk"): string {
    const running = this.#running.get(service);
    if (running === undefined) throw new Error(`${service} of ${this.release.name} does not run`);
    return `http://127.0.0.1:${running.port}`;
  }

  /** End a service: as a crash would, unless another signal is named. */
  async end(service: Service, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const running = this.#running.get(service);
    this.#running.delete(service);
    if (running === undefined || running.child.exitCode !== null || running.child.signalCode !== null) return;
    const gone = once(running.child, "exit");
    running.child.kill(signal);
    await gone;
  }

  /** The last that a service said, for errors. */
  said(service: Service): string {
    return this.#running.get(service)?.said ?? "";
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((service) => this.end(service)));
  }

  async #start(service: Service, more: Record<string, string>): Promise<void> {
    const port = await freePort();
    const { folder, digest, commit, name } = this.release;
    const child = spawn(process.execPath, ["server.js"], {
      cwd: folder,
      env: {
        PATH: process.env["PATH"],
        PROVENIQ_ENV: "development",
        METADATA_SERVER_DETECTION: "none",
        ARTEFACT_DIGEST: digest,
        GIT_COMMIT: commit,
        HOST: "127.0.0.1",
        PORT: String(port),
        LOG_LEVEL: "warn",
        SERVICE: service,
        ...this.#scene.environment(service),
        ...more,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const running: Running = { child, port, said: "" };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text: Buffer) => {
        running.said = (running.said + text.toString()).slice(-4_000);
      });
    }
    this.#running.set(service, running);
    if (service === "replicate") return;
    for (const until = Date.now() + 30_000; Date.now() < until; await sleep(30)) {
      if (child.exitCode !== null) break;
      const response = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
      if (response?.ok === true) return;
    }
    throw new Error(`${service} of ${name} (${commit}) does not start:\n${running.said}`);
  }
}
