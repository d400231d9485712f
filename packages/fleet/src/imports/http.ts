import { Agent, type IncomingMessage, request as plain } from "node:http";
import { request as secure, Agent as TlsAgent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { problem } from "@proveniq/contracts";
import type { z } from "zod";
import { CommandError } from "../cli/errors.ts";

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage["headers"];
  text: string;
}

export interface Call {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below /v1. */
  path: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

/** What a cell says was wrong; one of the release before does not name the trace yet. */
const refusal = problem.partial({ traceId: true });
type Told = z.infer<typeof refusal>;

/** The cell refused, and trying again would not help. */
export class Refusal extends CommandError {
  readonly problem: Told;

  constructor(refused: Told) {
    const faults = (refused.errors ?? []).slice(0, 10).map((e) => `\n  ${e.path}: ${e.message}`);
    const trace = refused.traceId === undefined ? "" : `\n  trace ${refused.traceId}`;
    super(`${refused.title} (${refused.code}). ${refused.detail ?? ""}${faults.join("")}${trace}`);
    this.problem = refused;
  }
}

/** Statuses after which the same request may go through later. */
const transient: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const callTimeoutMs = 90_000;

export interface ApiOptions {
  /** The router, or a cell. */
  url: string;
  tenant: string;
  key: string;
  /** How long to keep trying without any progress, in milliseconds. */
  patienceMs: number;
  /** Hears why a call is repeated. */
  onWait?: (why: string, seconds: number) => void;
}

/** The import API of one tenant. Every call is repeated until it is answered for good. */
export class ImportApi {
  readonly #options: ApiOptions;
  readonly #agent: Agent | TlsAgent;
  readonly #base: URL;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#base = new URL(options.url);
    const keep = { keepAlive: true, maxSockets: 16 };
    this.#agent = this.#base.protocol === "https:" ? new TlsAgent(keep) : new Agent(keep);
  }

  /** Call until there is an answer that is not "later". Throws `Refusal` for a 4xx. */
  async call(call: Call): Promise<HttpAnswer> {
    let started = Date.now();
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#once(call).catch((error: unknown) => error);
      const failed = answer instanceof Error || !isAnswer(answer);
      if (!failed && answer.status < 400) return answer;
      if (!failed && !transient.has(answer.status)) throw new Refusal(problemOf(answer));
      const paused = !failed && problemOf(answer).code === "imports-paused";
      // An operator wants everybody to wait: patience is for what nobody wants.
      if (paused) started = Date.now();
      const seconds = waitSeconds(failed ? undefined : answer, attempt);
      const why = failed ? reasonOf(answer) : `${answer.status} ${problemOf(answer).code}`;
      if (Date.now() - started + seconds * 1000 > this.#options.patienceMs) {
        throw new CommandError(
          `The server has not taken ${call.method} ${call.path} in ${Math.round(this.#options.patienceMs / 60_000)} minutes (${why}). ` +
            "Start the same command again to go on.",
        );
      }
      this.#options.onWait?.(why, seconds);
      await sleep(seconds * 1000);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #once({ method, path, headers = {}, body }: Call): Promise<HttpAnswer> {
    const { tenant, key } = this.#options;
    const url = new URL(`/t/${tenant}/v1${path}`, this.#base);
    const send = url.protocol === "https:" ? secure : plain;
    return new Promise((resolve, reject) => {
      const request = send(url, {
        method,
        agent: this.#agent,
        timeout: callTimeoutMs,
        // Names under localhost lead to this machine (RFC 6761), whatever its resolver knows of them.
        ...(url.hostname.endsWith(".localhost") ? { hostname: "127.0.0.1" } : {}),
        headers: {
          host: url.host,
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
          ...headers,
        },
      });
      request.on("timeout", () => request.destroy(new Error("no answer in time")));
      request.on("error", reject);
      request.on("response", (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(parts).toString("utf8"),
          }),
        );
      });
      request.end(body);
    });
  }
}

function isAnswer(value: unknown): value is HttpAnswer {
  return typeof value === "object" && value !== null && "status" in value;
}

/** Retry-After, or longer and longer with some chance in it. */
export function waitSeconds(answer: HttpAnswer | undefined, attempt: number): number {
  const told = Number(answer?.headers["retry-after"]);
  const backoff = Math.min(30, 0.3 * 2 ** Math.min(attempt, 8)) * (0.5 + Math.random() / 2);
  return Number.isFinite(told) && told >= 0 ? Math.max(told, 0.2) : backoff;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

function problemOf(answer: HttpAnswer): Told {
  try {
    return refusal.parse(JSON.parse(answer.text));
  } catch {
    return {
      type: "about:blank",
      title: `The server answered ${answer.status} without saying why`,
      status: Math.max(400, answer.status),
      code: "internal-error",
    };
  }
}
