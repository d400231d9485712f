import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { problem } from "@proveniq/contracts";
import { controlClient } from "@proveniq/local-cloud/control";
import { afterAll, describe, expect, inject, test } from "vitest";
import { type Answer, asItem, asPage, type Caller, Client } from "../../examples/demo/client.ts";
import { callerPerCell, partner } from "../setup/callers.ts";

const fleet = inject("fleet");
const control = controlClient(fleet.control);
const client = new Client(fleet.router);
const callers = await callerPerCell(fleet);
afterAll(() => client.close());

const item = (title: string) => ({ body: { title, category: "other" } });

/** Calls two cells without pause until told to stop; answers that were not 2xx are what it returns. */
function traffic(...who: Caller[]) {
  const stop = new AbortController();
  const failed: string[] = [];
  let answered = 0;
  const loops = who.map(async (caller) => {
    while (!stop.signal.aborted) {
      const answer = await client.call(caller, "POST", "/v1/items", item("steady"));
      answered++;
      if (answer.status !== 201)
        failed.push(`${caller.host}: ${answer.status} ${JSON.stringify(answer.json)}`);
      await sleep(20);
    }
  });
  return async () => {
    stop.abort();
    await Promise.all(loops);
    return { answered, failed };
  };
}

/** Call until the answer has this status; every answer on the way must be a 502, 503 or 504 problem. */
async function untilStatus(
  status: number,
  call: () => Promise<Answer>,
  withinMs = 40_000,
): Promise<Answer[]> {
  const ill: Answer[] = [];
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const answer = await call();
    if (answer.status === status) return ill;
    expect(problem.parse(answer.json).status).toBe(answer.status);
    expect([502, 503, 504]).toContain(answer.status);
    ill.push(answer);
    await sleep(100);
  }
  throw new Error(`no ${status} within ${withinMs} ms; last: ${JSON.stringify(ill.at(-1)?.json)}`);
}

describe("a cell that dies", () => {
  test("is answered for with a problem, comes back by itself, and nobody else notices", async () => {
    const stop = traffic(callers.eu, callers.consumer);
    const pid = (await control.services())["enterprise-a"]?.pid;
    await control.kill("enterprise-a");
    const ill = await untilStatus(200, () =>
      client.call(callers["enterprise-a"], "GET", "/v1/items?limit=1"),
    );
    expect((await control.services())["enterprise-a"]?.pid).not.toBe(pid);
    const others = await stop();
    expect(others.failed).toEqual([]);
    expect(others.answered).toBeGreaterThan(4);
    for (const answer of ill) expect(problem.parse(answer.json).code).toMatch(/^cell-(unreachable|timeout)$/);
  });
});

describe("a cell whose database is cut off", () => {
  test("answers 503 in time, recovers when it is back, and nobody else notices", async () => {
    const caller = partner(fleet, "carrier-a");
    await client.expect(201, caller, "POST", "/v1/items", item("before"));
    const stop = traffic(callers.eu, callers.consumer);
    await control.relay("enterprise-a").cut();
    try {
      const started = Date.now();
      const answer = await client.call(caller, "POST", "/v1/items", item("during"));
      expect(problem.parse(answer.json)).toMatchObject({ status: 503, code: "database-unavailable" });
      expect(answer.headers["retry-after"]).toMatch(/^\d+$/);
      expect(Date.now() - started).toBeLessThan(12_000);
    } finally {
      await control.relay("enterprise-a").restore();
    }
    await untilStatus(201, () => client.call(caller, "POST", "/v1/items", item("after")));
    expect((await stop()).failed).toEqual([]);
  });
});

describe("a commit whose reply is lost", () => {
  test("doubles neither the item nor the answer", async () => {
    const caller = callers["enterprise-a"];
    const externalId = `lost-${randomUUID()}`;
    const key = { "idempotency-key": randomUUID() };
    const body = { title: "Once", category: "other", externalId };
    // Only the commit carries it; the outbox is named by what the sink asks, too.
    await control.relay("enterprise-a").dropReplies(1, externalId);
    const first = await client.expect(201, caller, "POST", "/v1/items", { body, headers: key });
    expect((await control.relay("enterprise-a").report()).counters.dropped).toBeGreaterThan(0);
    const again = await client.expect(201, caller, "POST", "/v1/items", { body, headers: key });
    expect(asItem(again)).toEqual(asItem(first));
    const found = asPage(await client.expect(200, caller, "GET", `/v1/items?externalId=${externalId}`));
    expect(found.items).toEqual([asItem(first)]);
  });
});
