import { problem, type ValuedItem, valuedItem, valuedItemPage } from "@proveniq/contracts";
import { Agent, request } from "undici";

/** Who calls, and through which of the fleet's hosts. */
export interface Caller {
  host: string;
  tenant?: string;
  authorization: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  json: unknown;
  ms: number;
}

/** A client as a partner would write it: plain HTTP through the router, one pool of connections. */
export class Client {
  readonly #router: string;
  readonly #agent = new Agent({ connections: 16 });

  /** `router` is its URL; the host that a caller means travels in the Host header. */
  constructor(router: string) {
    this.#router = router;
  }

  async call(
    caller: Caller,
    method: "GET" | "POST" | "PATCH" | "DELETE",
    path: string,
    more: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const started = performance.now();
    const response = await request(new URL(path, this.#router), {
      method,
      dispatcher: this.#agent,
      headers: {
        host: caller.host,
        authorization: caller.authorization,
        ...(caller.tenant === undefined ? {} : { "x-tenant-id": caller.tenant }),
        ...(more.body === undefined ? {} : { "content-type": "application/json" }),
        ...more.headers,
      },
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    });
    const text = await response.body.text();
    const ms = performance.now() - started;
    return {
      status: response.statusCode,
      headers: response.headers,
      json: text === "" ? undefined : JSON.parse(text),
      ms,
    };
  }

  /** Like `call`, but an answer other than `status` ends the demo with what the problem says. */
  async expect(status: number, ...args: Parameters<Client["call"]>): Promise<Answer> {
    const answer = await this.call(...args);
    if (answer.status === status) return answer;
    const told = problem.safeParse(answer.json);
    const why = told.success
      ? `${told.data.code}: ${told.data.detail ?? told.data.title}`
      : "no problem document";
    throw new Error(`${args[1]} ${args[2]} answered ${answer.status} instead of ${status} (${why})`);
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }
}

/** The item in an answer, checked against the contract. */
export const asItem = (answer: Answer): ValuedItem => valuedItem.parse(answer.json);
export const asPage = (answer: Answer) => valuedItemPage.parse(answer.json);

/** Run `work` over all inputs, at most `width` at a time, results in order. */
export async function inParallel<T, R>(
  inputs: T[],
  width: number,
  work: (input: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < inputs.length) {
        const n = next++;
        const input = inputs[n];
        if (input !== undefined) results[n] = await work(input);
      }
    }),
  );
  return results;
}
