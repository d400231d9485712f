import { setTimeout as sleep } from "node:timers/promises";
import { headers as names } from "@proveniq/contracts";
import { z } from "zod";
import type { Scene } from "./scene.ts";

/** Somebody who calls a cell: a partner with a key, or a person who is given a token for each run. */
export const caller = z.strictObject({
  tenant: z.string(),
  key: z.string().optional(),
  person: z.strictObject({ subject: z.string(), staff: z.boolean() }).optional(),
});
export type Caller = z.infer<typeof caller>;
export const callers = z.record(z.string(), caller);
export type Callers = z.infer<typeof callers>;

/** Where the next request goes: one version of a cell, or several by turns. */
export interface Door {
  api(): string;
  bulk(): string;
}

export interface Call {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** Callers with their credentials, in front of a door. */
export class Desk {
  readonly door: Door;
  readonly #callers: Callers;
  readonly #credentials: Record<string, string>;

  private constructor(door: Door, known: Callers, credentials: Record<string, string>) {
    this.door = door;
    this.#callers = known;
    this.#credentials = credentials;
  }

  static async open(scene: Scene, door: Door, known: Callers): Promise<Desk> {
    const credentials: Record<string, string> = {};
    for (const [name, { tenant, key, person }] of Object.entries(known)) {
      const of = tenant === scene.environment("api")["DEFAULT_TENANT"] ? {} : { tenant };
      credentials[name] = key ?? (person === undefined ? "" : await scene.token({ ...person, ...of }));
    }
    return new Desk(door, known, credentials);
  }

  /** The same callers in front of another door. */
  at(door: Door): Desk {
    return new Desk(door, this.#callers, this.#credentials);
  }

  get names(): string[] {
    return Object.keys(this.#callers);
  }

  tenantOf(name: string): string {
    const known = this.#callers[name];
    if (known === undefined) throw new Error(`there is no caller ${name}`);
    return known.tenant;
  }

  /** Call. A database that is busy for a moment is asked again; every write here may be repeated. */
  async call(name: string, { method, path, headers = {}, body }: Call): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const base = path.startsWith("/v1/imports") ? this.door.bulk() : this.door.api();
      const response = await fetch(base + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#credentials[name]}`,
          [names.tenant]: this.tenantOf(name),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(60_000),
      });
      const answer = { status: response.status, headers: response.headers, text: await response.text() };
      if (answer.status !== 503 || !answer.text.includes("database-unavailable") || tries === 5)
        return answer;
      await sleep(200 * tries);
    }
  }

  /** Call, and be answered with one of some statuses. */
  async must(name: string, call: Call, ...statuses: number[]): Promise<Answer> {
    const answer = await this.call(name, call);
    if (statuses.includes(answer.status)) return answer;
    throw new Error(
      `${name}: ${call.method} ${call.path} was answered ${answer.status}, not ${statuses.join(" or ")}: ${answer.text.slice(0, 500)}`,
    );
  }
}
