import { isTenantId } from "@proveniq/contracts";
import type { Hono } from "hono";
import type { AppEnv } from "../deps.ts";
import { assertDocumented } from "./conformance.ts";
import { testKeyOf, testToken } from "./identity.ts";

export interface CallOptions {
  tenant?: string;
  /** A person's subject; without it the tenant's key is sent. `null` sends no credential. */
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

/** Every call belongs to one trace, so that what two of them answer can be compared whole. */
const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/**
 * Calls into an app in process; every answer is checked against the documentation. A call that names no tenant is made for
 * `defaultTenant`; without one, by somebody whose token names none either.
 */
export function clientOf(app: Hono<AppEnv>, defaultTenant?: string): Call {
  return async (method, path, options = {}) => {
    const { as, body, tenant } = options;
    const credential = await credentialOf(tenant ?? /^\/t\/([^/?]+)/.exec(path)?.[1] ?? defaultTenant, as);
    const raw =
      body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : undefined;
    const response = await app.request(path, {
      method,
      headers: {
        traceparent,
        ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
        ...(tenant === undefined || path.startsWith("/t/") ? {} : { "x-tenant-id": tenant }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
    const text = await response.text();
    const type = response.headers.get("content-type") ?? "";
    const parsed: unknown = text !== "" && /[/+]json/.test(type) ? JSON.parse(text) : undefined;
    assertDocumented(method, path, response.status, type, parsed);
    return { status: response.status, headers: response.headers, body: parsed, text };
  };
}

async function credentialOf(tenant: string | undefined, as: string | null | undefined) {
  if (as === null) return undefined;
  const named = tenant === undefined || !isTenantId(tenant) ? {} : { tenant };
  if (as !== undefined) return testToken({ sub: as, ...named });
  return named.tenant === undefined ? testToken({ sub: "somebody" }) : (await testKeyOf(named.tenant)).key;
}

/** The problem code of an answer. */
export function codeOf(answer: Answer): unknown {
  return (answer.body as { code?: unknown } | undefined)?.code;
}
