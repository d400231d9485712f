import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";

/** What is there before anything is applied: an empty organisation's projects, and what Cell 0 had. */
export const seed = z.looseObject({
  person: z.string(),
  projects: z.record(z.string(), z.string()),
  billingAccounts: z.array(z.string()),
});
export type Seed = z.infer<typeof seed>;

const entry = z.looseObject({
  kind: z.string(),
  method: z.string().optional(),
  path: z.string().optional(),
  caller: z.string().optional(),
  check: z.string().optional(),
  message: z.string().optional(),
});
/** One request, or what was said against one. */
export type Entry = z.infer<typeof entry>;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  return address.port;
}

/** A process that stands in for Google's APIs and refuses what they would, on loopback. Close it. */
export class Judge {
  /** Where Terraform finds each API. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #port: number;

  private constructor(
    folder: string,
    started: ChildProcess,
    port: number,
    environment: Record<string, string>,
  ) {
    this.#folder = folder;
    this.#process = started;
    this.#port = port;
    this.environment = environment;
  }

  /** Start it from the folder that holds its sources. `change` makes its seed another one. */
  static async start(sources: string, change: (seed: Seed) => void = () => undefined): Promise<Judge> {
    const folder = mkdtempSync(join(tmpdir(), "judge-"));
    const docs = join(folder, "docs");
    mkdirSync(docs);
    execFileSync("tar", ["-C", docs, "-xJf", join(sources, "discovery.tar.xz")]);
    // Built from a copy: the sources may be read-only.
    cpSync(join(sources, "stub"), join(folder, "stub"), { recursive: true });
    execFileSync("go", ["build", "-o", join(folder, "judge"), "."], {
      cwd: join(folder, "stub"),
      stdio: "pipe",
    });
    const seeded = seed.parse(JSON.parse(readFileSync(join(sources, "seed.json"), "utf8")));
    change(seeded);
    writeFileSync(join(folder, "seed.json"), JSON.stringify(seeded));
    const port = await freePort();
    const files = ["-docs", docs, "-config", join(folder, "seed.json"), "-iam", join(sources, "iam.json")];
    const started = spawn(
      join(folder, "judge"),
      ["-port", `${port}`, ...files, "-log", join(folder, "log.ndjson"), "-latency", "1ms"],
      { stdio: "ignore" },
    );
    const endpoints = readFileSync(join(sources, "endpoints.list"), "utf8").replaceAll("PORT", `${port}`);
    const environment = {
      ...Object.fromEntries(
        [...endpoints.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, k = "", v = ""]) => [k, v]),
      ),
      GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT: `http://127.0.0.1:${port}/storage.googleapis.com/storage/v1/`,
      // What would leave the machine is refused here, and seen.
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      NO_PROXY: "",
    };
    const judge = new Judge(folder, started, port, environment);
    for (let n = 0; ; n++) {
      const ready = await judge.ask("health").then(
        () => true,
        () => false,
      );
      if (ready) return judge;
      if (n === 100 || started.exitCode !== null) {
        judge.close();
        throw new Error("the stand-in for Google's APIs did not start");
      }
      await wait(100);
    }
  }

  /** Ask it about itself, or tell it what somebody did by hand. */
  async ask(what: string, query: Record<string, string> = {}, body?: object): Promise<unknown> {
    const url = `http://127.0.0.1:${this.#port}/_stub/${what}?${new URLSearchParams(query).toString()}`;
    const more = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(url, more);
    if (!response.ok) throw new Error(`${what}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Put a thing there that no state makes. */
  async put(host: string, path: string, thing: object): Promise<void> {
    await this.ask("put", { host, path }, thing);
  }

  /** All that was asked of it so far. */
  log(): Entry[] {
    const text = readFileSync(join(this.#folder, "log.ndjson"), "utf8");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => entry.parse(JSON.parse(line)));
  }

  close(): void {
    this.#process.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
