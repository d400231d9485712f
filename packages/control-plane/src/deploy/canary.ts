import { randomUUID } from "node:crypto";
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { headers } from "@proveniq/contracts";
import { z } from "zod";
import type { CanaryAccess } from "./types.ts";

/** Nobody waits longer for a canary, in milliseconds. */
const answerMs = 3_000;
const everyMs = 400;
/** So many failures in a row, and there is no need to wait for statistics. */
const enoughFailures = 4;

const described = z.object({ artefactDigest: z.string() });
const item = z.object({ id: z.string(), title: z.string() });

/** The tenant by whose requests a cell is tried: an ordinary one, which nobody is. */
export const canaryTenant = (cell: string) => `canary-${cell}`;

/**
 * Try a cell through the edge as a tenant would: it answers, with this artefact, takes an item, gives it back and deletes
 * it. Repeats until it goes well or `withinSeconds` have passed; then throws what went wrong last.
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
  const cell = described.parse(await ask(access, "GET", `/t/${tenantId}/v1/cell`, undefined, signal));
  if (cell.artefactDigest !== digest)
    throw new Error(`wrong digest: the cell serves ${cell.artefactDigest}, not ${digest}`);
  await writeAndRead(access, signal);
}

async function writeAndRead(access: CanaryAccess, signal: AbortSignal): Promise<void> {
  const title = `Canary ${randomUUID()}`;
  const items = `/t/${access.tenantId}/v1/items`;
  const made = item.parse(await ask(access, "POST", items, { title, category: "other" }, signal));
  const read = item.parse(await ask(access, "GET", `${items}/${made.id}`, undefined, signal));
  if (read.title !== title) throw new Error("the cell gave back another item than it took");
  await ask(access, "DELETE", `${items}/${made.id}`, undefined, signal);
}

/** One request; throws unless it is answered well, and in time. */
async function ask(
  { url, tenantId, key }: CanaryAccess,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const what = `${method} ${path.replace(/\/[A-Za-z0-9_-]{20,}$/, "/…")}`;
  const late = AbortSignal.timeout(answerMs);
  const sent = {
    authorization: `Bearer ${key}`,
    [headers.tenant]: tenantId,
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", [headers.idempotencyKey]: randomUUID() }),
  };
  const answer = await call(new URL(path, url), method, sent, body, AbortSignal.any([signal, late])).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      const reason = late.aborted ? `no answer in ${answerMs / 1_000} s` : messageOf(error);
      throw new Error(`${what}: ${reason}`, { cause: error });
    },
  );
  if (answer.status >= 300) throw new Error(`${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
  return answer.text === "" ? undefined : JSON.parse(answer.text);
}

/** Not `fetch`: names under localhost lead to this machine (RFC 6761) whatever its resolver knows of them, and keep their Host. */
function call(
  url: URL,
  method: string,
  sent: Record<string, string>,
  body: unknown,
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
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/**
 * Be a tenant of the cell until `signal` aborts: something is always asked of it, so that it can be judged at any hour.
 * Rejects when several requests in a row fail: then there is nothing to wait for.
 */
export async function keepAsking(access: CanaryAccess, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await writeAndRead(access, signal);
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

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
