import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { z } from "zod";
import { keyDays, keyExpired } from "../anonymise/days.ts";
import type { DayKeys } from "./index.ts";

export interface SecretManagerOptions {
  project: string;
  cell: string;
  /** Where the secret may be kept: the cell's region. */
  region: string;
  /** Bearer token of the cell's service account. */
  token: () => Promise<string>;
  /** Only for tests. */
  endpoint?: string;
}

const version = z.object({ payload: z.object({ data: z.base64() }) });

/**
 * Keys in Secret Manager: a secret a day, which expires by itself after `keyDays` days, so that a sink that no
 * longer runs cannot keep it alive. Its first version is the key; of two that are written at once the first counts.
 */
export class SecretManagerKeys implements DayKeys {
  readonly #options: SecretManagerOptions;
  readonly #known = new Map<string, KeyObject>();

  constructor(options: SecretManagerOptions) {
    this.#options = options;
  }

  async key(day: string): Promise<KeyObject> {
    const known = this.#known.get(day);
    if (known !== undefined) return known;
    const { project, cell, region } = this.#options;
    const id = `analytics-key-${cell}-${day}`;
    const secret = `projects/${project}/secrets/${id}`;
    let found = await this.#call("GET", `${secret}/versions/1:access`, [404]);
    if (found === undefined) {
      const expires = new Date(Date.parse(day) + keyDays * 86_400_000).toISOString();
      const replication = { userManaged: { replicas: [{ location: region }] } };
      await this.#call("POST", `projects/${project}/secrets?secretId=${id}`, [409], {
        replication,
        expireTime: expires,
      });
      await this.#call("POST", `${secret}:addVersion`, [], {
        payload: { data: randomBytes(32).toString("base64") },
      });
      found = await this.#call("GET", `${secret}/versions/1:access`, []);
    }
    const key = createSecretKey(Buffer.from(version.parse(found).payload.data, "base64"));
    this.#known.set(day, key);
    return key;
  }

  /** Only what this process remembers: Secret Manager destroys the rest on time. */
  destroyExpired(today: string): Promise<void> {
    for (const day of this.#known.keys()) if (keyExpired(day, today)) this.#known.delete(day);
    return Promise.resolve();
  }

  /** The answer's JSON; undefined for a status in `expected`. */
  async #call(method: "GET" | "POST", path: string, expected: number[], body?: object): Promise<unknown> {
    const base = this.#options.endpoint ?? "https://secretmanager.googleapis.com";
    const response = await fetch(`${base}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${await this.#options.token()}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    if (response.ok) return response.json();
    await response.body?.cancel();
    if (expected.includes(response.status)) return undefined;
    throw new Error(`Secret Manager answered ${response.status} to ${method} of a day's key`);
  }
}
