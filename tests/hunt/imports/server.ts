import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type GuardedChild, spawnGuarded } from "@proveniq/local-cloud/process";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** One process of a cell. */
export class Server {
  readonly url: string;
  readonly #env: Record<string, string | undefined>;
  #child: GuardedChild | undefined;
  #said = "";

  constructor(env: Record<string, string | undefined>) {
    this.#env = env;
    this.url = `http://127.0.0.1:${env["PORT"]}`;
  }

  async start(): Promise<void> {
    const child = spawnGuarded(process.execPath, [join(root, "apps/cell-api/src/server.ts")], {
      env: this.#env,
    });
    this.#child = child;
    let ended = false;
    void child.exited.then(() => {
      ended = true;
    });
    const hear = (text: Buffer) => {
      this.#said = (this.#said + text.toString()).slice(-20_000);
    };
    child.stderr.on("data", hear);
    child.stdout.on("data", hear);
    for (let n = 0; n < 1_200; n++) {
      if (ended) throw new Error(`a cell's process does not start:\n${this.#said}`);
      const answer = await fetch(`${this.url}/health`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok === true) return;
      await sleep(25);
    }
    throw new Error("a cell's process is not ready within 30 s");
  }

  /** The last lines of its log that hold a text. */
  linesWith(text: string): string[] {
    return this.#said.split("\n").filter((line) => line.includes(text));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }
}
