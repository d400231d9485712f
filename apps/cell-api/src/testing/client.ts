import type { Hono } from "hono";
import type { AppEnv } from "../deps.ts";
import { assertDocumented } from "./conformance.ts";

/** The development credential of every test. */
export const testCredential = "for-tests-only";

export interface CallOptions {
  tenant?: string;
  /** A person's subject; without it the call is tenant-wide. `null` sends no credential. */
  as?: string | null;
  /** Sent as JSON, or as it is when a string or bytes. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed when it is JSON. */
  body: unknown;
  text: string;
}

export type Call = (method: string, path: string, options?: CallOptions) => Promise<Answer>;

/** Calls into an app in process; every answer is checked against the documentation. */
export function clientOf(app: Hono<AppEnv>, defaultTenant?: string): Call {
  return async (method, path, options = {}) => {
    const { as, body, tenant = defaultTenant } = options;
    const credential = as === undefined ? testCredential : `${testCredential}.${as}`;
    const raw =
      body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : undefined;
    const response = await app.request(path, {
      method,
      headers: {
        ...(as === null ? {} : { authorization: `Bearer ${credential}` }),
        ...(tenant === undefined || path.startsWith("/t/") ? {} : { "x-tenant-id": tenant }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
    const text = await response.text();
    const type = response.headers.get("content-type") ?? "";
    const parsed: unknown = text !== "" && type.includes("json") ? JSON.parse(text) : undefined;
    assertDocumented(method, path, response.status, type, parsed);
    return { status: response.status, headers: response.headers, body: parsed, text };
  };
}

/** The problem code of an answer. */
export function codeOf(answer: Answer): unknown {
  return (answer.body as { code?: unknown } | undefined)?.code;
}
