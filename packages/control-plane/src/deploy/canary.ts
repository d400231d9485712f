import { randomUUID } from "node:crypto";
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { headers, messageOf } from "@proveniq/contracts";
import { z } from "zod";
import { RefusedError } from "../refused.ts";
import {
  type Answer,
  type Ask,
  canaryScopes,
  importOne,
  type Question,
  RefusedAnswer,
  writeAndRead,
} from "./canary-day.ts";
import type { CanaryAccess } from "./types.ts";

/** Nobody waits longer for a canary, in milliseconds. */
const answerMs = 3_000;
const everyMs = 400;
/** So many failures in a row, and there is no need to wait for statistics. */
const enoughFailures = 4;

/** A version that fails every other time must not come through. */
const smokeRounds = 3;
/** An import takes longer than all else. */
const importEvery = 5;

const described = z.object({ artefactDigest: z.string() });
const caller = z.object({ scopes: z.array(z.string()) });

/** The tenant by whose requests a cell is tried: an ordinary one, which nobody is. */
export const canaryTenant = (cell: string) => `canary-${cell}`;

/**
 * Throws `RefusedError` when the canary's key cannot do what people do: that is no fault of any version. A cell that is ill says
 * nothing about it.
 */
export async function checkCanary(access: CanaryAccess, signal: AbortSignal): Promise<void> {
  const answer = await asking(access, signal)({ method: "GET", path: "/me" }).catch(() => undefined);
  const told = caller.safeParse(answer?.body);
  if (!told.success) return;
  const missing = canaryScopes.filter((scope) => !told.data.scopes.includes(scope));
  if (missing.length > 0)
    throw new RefusedError(
      `the key of ${access.tenantId} lacks ${missing.join(", ")}: give it one with ${canaryScopes.join(",")} (docs/deploys.md)`,
    );
}

/**
 * Try a cell through the edge as a tenant would: it answers, with this artefact, and does what people do. Repeats until it goes well or `withinSeconds` have passed; then throws what went wrong last.
 */
export async function smoke(
  access: CanaryAccess,
  digest: string,
  withinSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + withinSeconds * 1_000;
  for (;;) {
    try {
      await onceThrough(access, digest, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (Date.now() > deadline) throw error;
    }
    await sleep(500, undefined, { signal });
  }
}

async function onceThrough(access: CanaryAccess, digest: string, signal: AbortSignal): Promise<void> {
  const { tenantId } = access;
  const ask = asking(access, signal);
  const cell = described.parse((await ask({ method: "GET", path: `/t/${tenantId}/v1/cell` })).body);
  if (cell.artefactDigest !== digest)
    throw new Error(`wrong digest: the cell serves ${cell.artefactDigest}, not ${digest}`);
  for (let n = 0; n < smokeRounds; n += 1) await writeAndRead(ask);
  await importOne(ask, signal);
}

/** Asks as the tenant, below its own path; throws unless a request is answered well, and in time. */
function asking(access: CanaryAccess, signal: AbortSignal): Ask {
  return async ({ path, ...request }) => {
    const below = path.startsWith("/t/") ? path : `/t/${access.tenantId}/v1${path}`;
    return ask(access, { ...request, path: below }, signal);
  };
}

async function ask(
  { url, tenantId, key }: CanaryAccess,
  { method, path, body, headers: more = {} }: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const what = `${method} ${path.replace(/\/[A-Za-z0-9_-]{20,}(?=\/|$)/g, "/…")}`;
  const late = AbortSignal.timeout(answerMs);
  const sent = {
    authorization: `Bearer ${key}`,
    [headers.tenant]: tenantId,
    ...(method !== "POST" ? {} : { [headers.idempotencyKey]: randomUUID() }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...more,
  };
  const answer = await call(new URL(path, url), method, sent, body, AbortSignal.any([signal, late])).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      const reason = late.aborted ? `no answer in ${answerMs / 1_000} s` : messageOf(error);
      throw new Error(`${what}: ${reason}`, { cause: error });
    },
  );
  if (answer.status >= 300) throw new RefusedAnswer(what, answer.status, answer.text);
  return { status: answer.status, body: answer.text === "" ? undefined : JSON.parse(answer.text) };
}

/** Not `fetch`: names under localhost lead to this machine (RFC 6761) whatever its resolver knows of them, and keep their Host. */
function call(
  url: URL,
  method: string,
  sent: Record<string, string>,
  body: string | undefined,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const send = url.protocol === "https:" ? secure : plain;
  const here = url.hostname.endsWith(".localhost") ? { hostname: "127.0.0.1" } : {};
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      { method, signal, ...here, headers: { host: url.host, ...sent } },
      (response) => {
        response.setEncoding("utf8");
        response
          .toArray()
          .then((parts) => resolve({ status: response.statusCode ?? 0, text: parts.join("") }), reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/**
 * Be a tenant of the cell until `signal` aborts: something is always asked of it, so that it can be judged at any hour.
 * Rejects when several requests in a row fail: then there is nothing to wait for.
 */
export async function keepAsking(access: CanaryAccess, signal: AbortSignal): Promise<void> {
  let failures = 0;
  const ask = asking(access, signal);
  for (let round = 0; !signal.aborted; round += 1) {
    try {
      await writeAndRead(ask);
      if (round % importEvery === importEvery - 1) await importOne(ask, signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (failures >= enoughFailures)
        throw new Error(`${failures} of the canary's requests failed in a row: ${messageOf(error)}`, {
          cause: error,
        });
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
