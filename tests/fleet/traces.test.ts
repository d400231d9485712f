import { randomUUID } from "node:crypto";
import { problem } from "@proveniq/contracts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Client } from "../../examples/demo/client.ts";
import { partner } from "../setup/callers.ts";
import { type Arrived, Collector } from "./traces/collector.ts";
import { type Stage, setStage } from "./traces/stage.ts";

const fleet = inject("fleet");
const caller = partner(fleet, "atelier-nord");
const secret = `s3cret-${randomUUID()}`;
const canary = `canary-${randomUUID()}`;
const collector = new Collector();
const ids: string[] = [];
let stage: Stage;
let client: Client;
beforeAll(async () => {
  stage = await setStage(fleet, await collector.listen(), secret);
  client = new Client(stage.router);
});
afterAll(async () => {
  await client.close();
  await stage.close();
  await collector.die().catch(() => undefined);
});

const item = { title: canary, category: "other" };
const firestore = "@google-cloud/firestore";

/** Register a thing; the trace that its answer names. */
async function register(headers: Record<string, string> = {}): Promise<string> {
  const answer = await client.call(caller, "POST", "/v1/items", { body: item, headers });
  expect([answer.status, answer.json]).toEqual([201, expect.anything()]);
  ids.push(String((answer.json as { id?: unknown }).id));
  return String(answer.headers["traceresponse"]).slice(3, 35);
}

/** The spans of a trace, when one of the cell and one of the router are among them. */
async function spansOf(traceId: string): Promise<Arrived[]> {
  const services = () => new Set(collector.of(traceId).map((span) => span.service));
  await expect.poll(services, { timeout: 15_000 }).toEqual(new Set(["router", "eu-api"]));
  return collector.of(traceId);
}

const served = (spans: Arrived[], service: string) =>
  spans.filter((span) => span.service === service && span.library !== firestore);

describe("a collector gets", () => {
  test("router, cell and Firestore of one request, each below the one that called it", async () => {
    const traceId = await register();
    const spans = await spansOf(traceId);
    const [router, ...otherRouters] = served(spans, "router");
    const [cell, ...otherCells] = served(spans, "eu-api");
    expect([otherRouters, otherCells]).toEqual([[], []]);
    expect(router).toMatchObject({ name: "POST eu-api", parent: undefined, failed: false });
    expect(cell).toMatchObject({ name: "POST /v1/items", parent: router?.spanId, failed: false });

    const database = spans.filter((span) => span.library === firestore);
    const names = database.map((span) => span.name);
    expect(names).toEqual(expect.arrayContaining(["Transaction.Run", "Transaction.Commit"]));
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    for (const span of database) {
      let top: Arrived | undefined = span;
      while (top !== undefined && top.spanId !== cell?.spanId) top = byId.get(top.parent ?? "");
      expect([span.name, top?.name]).toEqual([span.name, cell?.name]);
      expect([span.name, span.start <= span.end, span.events]).toEqual([span.name, true, 0]);
    }

    const { processes } = stage;
    for (const [name, span] of [
      ["router", router],
      ["cell", cell],
    ] as const) {
      const line = processes[name].lines.find((l) => l["message"] === "request" && l["traceId"] === traceId);
      expect([name, line?.["logging.googleapis.com/spanId"]]).toEqual([name, span?.spanId]);
      expect([name, line?.["logging.googleapis.com/trace_sampled"]]).toEqual([name, true]);
    }
  });

  test("what a caller wants recorded, below the caller's own span", async () => {
    const made = randomUUID().replaceAll("-", "");
    const traceId = await register({ traceparent: `00-${made}-00f067aa0ba902b7-01` });
    expect(traceId).toBe(made);
    expect(served(await spansOf(traceId), "router")).toMatchObject([{ parent: "00f067aa0ba902b7" }]);
  });

  test("errors with their problem, by the id that the client was told", async () => {
    const answer = await client.call(caller, "GET", "/v1/items/not-there-at-all-0000");
    const { traceId } = problem.parse(answer.json);
    const spans = await spansOf(traceId);
    expect(served(spans, "eu-api")).toMatchObject([{ name: "GET /v1/items/{itemId}", failed: false }]);
    expect(collector.text).toContain('"stringValue":"not-found"');
  });

  test("nothing that a caller does not want recorded, nor probes and looks that nobody asked for", async () => {
    const made = randomUUID().replaceAll("-", "");
    const quiet = await register({ traceparent: `00-${made}-00f067aa0ba902b7-00` });
    await fetch(`${stage.router}/health`);
    await spansOf(await register());
    expect(collector.of(quiet)).toEqual([]);
    const traces = new Set(served(collector.arrived, "eu-api").map((span) => span.traceId));
    const orphans = collector.arrived.filter((span) => !traces.has(span.traceId));
    expect(orphans).toEqual([]);
  });

  test("no content, no credential and no name of a tenant or a thing", async () => {
    const key = caller.authorization.replace("Bearer ", "");
    const { processes } = stage;
    const written = { spans: collector.text, router: processes.router.text, cell: processes.cell.text };
    for (const [where, text] of Object.entries(written)) {
      expect(text).not.toBe("");
      for (const hidden of [secret, canary, key, "atelier-nord", ...ids])
        expect([where, hidden, text.includes(hidden)]).toEqual([where, hidden, false]);
    }
  });
});

describe("a collector that", () => {
  const many = () =>
    Promise.all(
      Array.from({ length: 60 }, async () => {
        const { status, ms } = await client.call(caller, "GET", "/v1/me");
        return { status, slow: ms > 4_000 };
      }),
    );
  const complaint = (line: Record<string, unknown>) =>
    line["message"] === "the collector does not take traces";

  test("hangs holds up nobody", async () => {
    collector.mood = "hang";
    const before = collector.requests;
    for (let round = 0; round < 3; round += 1) {
      const answers = await many();
      expect(answers.filter(({ status, slow }) => status !== 200 || slow)).toEqual([]);
    }
    await expect.poll(() => collector.requests, { timeout: 10_000 }).toBeGreaterThan(before);
  });

  test("is gone holds up nobody, is complained about, and does not keep a process from ending", async () => {
    await collector.die();
    const answers = await many();
    expect(answers.filter(({ status, slow }) => status !== 200 || slow)).toEqual([]);
    const { router, cell } = stage.processes;
    for (const process of [router, cell])
      await expect.poll(() => process.lines.some(complaint), { timeout: 20_000 }).toBe(true);
    for (const process of [router, cell]) {
      const { code, ms } = await process.stop();
      expect([code, ms < 10_000]).toEqual([0, true]);
    }
    expect(router.text + cell.text).not.toContain(secret);
  });
});
