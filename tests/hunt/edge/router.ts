import { readdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { type GuardedChild, spawnGuarded } from "@proveniq/local-cloud/process";

/** The line that the router wrote about a request. */
export interface LogLine {
  status: number;
  failure: string | undefined;
  problem: string | undefined;
  /** How many lines there are of this id: one is right. */
  count: number;
}

/** The built router as a process, and what it writes. */
export class RouterProcess {
  port = 0;
  /** Lines about requests, by request id. */
  readonly lines = new Map<string, LogLine>();
  /** Rules of the log that did not hold. */
  readonly faults: string[] = [];
  dead: string | undefined;
  readonly #child: GuardedChild;
  #errors = "";

  private constructor(child: GuardedChild) {
    this.#child = child;
    child.stderr.on("data", (piece: Buffer) => {
      this.#errors = (this.#errors + piece.toString()).slice(-4_000);
    });
    void child.exited.then(({ code, signal }) => {
      const said = /^\w*Error.*$/m.exec(this.#errors)?.[0] ?? this.#errors.slice(0, 300);
      this.dead = `the router's process ended (${signal ?? code}): ${said}`;
    });
  }

  static async start(bundle: string, env: Record<string, string>): Promise<RouterProcess> {
    const all = { PORT: "0", HOST: "127.0.0.1", PROVENIQ_ENV: "development", ...env };
    const router = new RouterProcess(spawnGuarded(process.execPath, [bundle], { env: all }));
    await new Promise<void>((resolve, reject) => {
      void router.#child.exited.then(() => reject(new Error(router.dead ?? "the router ended")));
      createInterface({ input: router.#child.stdout }).on("line", (line) => {
        if (router.#onLine(line)) resolve();
      });
    });
    return router;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Open file descriptors, and MiB of resident memory. */
  async holds(): Promise<{ descriptors: number; mib: number }> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    const mib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    return { descriptors: (await readdir(`/proc/${this.pid}/fd`)).length, mib };
  }

  async stop(): Promise<void> {
    await this.#child.stop(3_000);
  }

  /** True for the line that says where it listens. */
  #onLine(text: string): boolean {
    // oxlint-disable-next-line no-control-regex -- They are what is looked for.
    if (/[\x00-\x1f\x7f-\x9f]/.test(text))
      this.faults.push(`a log line holds a control character: ${JSON.stringify(text)}`);
    let line: Record<string, unknown>;
    try {
      line = JSON.parse(text);
    } catch {
      this.faults.push(`a log line is no JSON: ${text.slice(0, 200)}`);
      return false;
    }
    if (line["message"] === "listening") {
      this.port = Number(line["port"]);
      return true;
    }
    if (line["severity"] === "ERROR") this.faults.push(`the router says: ${text.slice(0, 300)}`);
    if (line["message"] !== "request") return false;
    const { requestId, failure, problem } = line;
    const id = typeof requestId === "string" ? requestId : "";
    const count = (this.lines.get(id)?.count ?? 0) + 1;
    this.lines.set(id, {
      status: Number(line["status"]),
      failure: typeof failure === "string" ? failure : undefined,
      problem: typeof problem === "string" ? problem : undefined,
      count,
    });
    return false;
  }
}
