import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Stack, Tenant } from "./stack.ts";

export interface Answer {
  status: number;
  text: string;
  /** Of a problem; undefined otherwise. */
  code: string | undefined;
  detail: string;
  traceId: string;
  errors: { path: string; message: string }[];
}

const problem = z.object({
  code: z.string(),
  detail: z.string().optional(),
  traceId: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** Something that must never be, whatever was asked. */
export class Broken extends Error {}

/** How long one call is tried again for, while processes die and the machine is busy. */
const patienceMs = 90_000;

/** Calls of one case, each repeated as a client would until it is answered. */
export class Caller {
  readonly #stack: Stack;
  readonly #tenant: Tenant;
  readonly #instances: readonly number[];
  /** Processes are killed: a call may be lost. */
  readonly #rough: () => boolean;
  readonly log: string[] = [];
  calls = 0;

  /** `instances`: of bulk, which get its calls in turn. */
  constructor(stack: Stack, tenant: Tenant, instances: readonly number[], rough: () => boolean) {
    this.#instances = instances;
    this.#stack = stack;
    this.#tenant = tenant;
    this.#rough = rough;
  }

  async call(
    service: "api" | "bulk",
    method: string,
    path: string,
    more: { body?: string | Buffer; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const until = Date.now() + patienceMs;
    for (let n = 0; ; n++) {
      this.calls++;
      const answer = await this.#once(service, method, path, more);
      const over = Date.now() > until;
      const again = answer === undefined || answer.status === 429 || answer.code === "database-unavailable";
      if (!again) {
        this.log.push(`${method} ${path} → ${answer.status} ${answer.code ?? ""} ${brief(answer.text)}`);
        if (answer.status >= 500)
          throw new Broken(
            `${method} ${path} answers ${answer.status}: ${answer.text} ${this.#stack.logOf(answer.traceId)}`,
          );
        return answer;
      }
      if (answer === undefined && !this.#rough()) throw new Broken(`${method} ${path} was not answered`);
      if (over) throw new Broken(`${method} ${path} is still not answered: ${answer?.text ?? "no answer"}`);
      await sleep(Math.min(1_000, 20 * 2 ** n));
    }
  }

  async #once(
    service: "api" | "bulk",
    method: string,
    path: string,
    { body, headers }: { body?: string | Buffer; headers?: Record<string, string> },
  ): Promise<Answer | undefined> {
    try {
      const response = await fetch(
        `${this.#stack.url(service, this.#instances[this.calls % this.#instances.length])}/v1${path}`,
        {
          method,
          headers: { authorization: `Bearer ${this.#tenant.key}`, ...headers },
          ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
          signal: AbortSignal.timeout(70_000),
        },
      );
      const text = await response.text();
      const told = response.status < 400 ? undefined : problem.safeParse(parsed(text)).data;
      return {
        status: response.status,
        text,
        code: told?.code,
        detail: told?.detail ?? "",
        traceId: told?.traceId ?? "no trace",
        errors: told?.errors ?? [],
      };
    } catch {
      return undefined;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function brief(text: string): string {
  const counts = /"counts":\{[^}]*\}/.exec(text)?.[0].replaceAll(/"[a-z]+":0,?/g, "");
  const state = /"state":"[a-z]+"/.exec(text)?.[0];
  return state === undefined ? text.slice(0, 160) : `${state} ${counts ?? ""}`;
}
