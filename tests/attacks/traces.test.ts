import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "@proveniq/contracts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { cell, type Scene, setScene } from "./scene.ts";
import { exchange, send } from "./wire.ts";

const fleet = inject("fleet");
const folder = join(fleet.directoryFile, "..", "logs");
let scene: Scene;
beforeAll(async () => {
  scene = await setScene(fleet);
});
afterAll(() => scene.world.close());

/** The line that a process wrote about the request of a trace; it may come a moment after the answer. */
async function lineOf(service: string, traceId: string): Promise<Record<string, unknown>> {
  let found: string | undefined;
  await expect
    .poll(
      async () => {
        const lines = (await readFile(join(folder, `${service}.log`), "utf8")).split("\n");
        found = lines.find((line) => line.includes(`"traceId":"${traceId}"`));
        return found !== undefined;
      },
      { timeout: 10_000, message: `no line of ${service} for trace ${traceId}` },
    )
    .toBe(true);
  return JSON.parse(found ?? "");
}

const own = () => ["authorization", `Bearer ${scene.red.key}`] as const;
const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const span = "00f067aa0ba902b7";
const good = `00-${trace}-${span}-00`;

describe("an error has one trace id", () => {
  test("in its answer, and in the lines of the router and of the cell", async () => {
    const { origin, host } = scene.world.doors(cell)[0] ?? { origin: "", host: "" };
    const answer = await send(origin, { path: "/v1/items/not-there-at-all-0000", host, headers: [own()] });
    const { code, traceId } = problem.parse(JSON.parse(answer.body));
    expect([answer.status, code]).toEqual([404, "not-found"]);
    expect(answer.headers["traceresponse"]?.slice(3, 35)).toBe(traceId);
    const requestId = answer.headers["x-request-id"];
    const [router, cells] = await Promise.all([lineOf("router", traceId), lineOf(cell, traceId)]);
    expect(router).toMatchObject({
      severity: "INFO",
      requestId,
      status: 404,
      "logging.googleapis.com/trace": `projects/proveniq-central/traces/${traceId}`,
    });
    expect(cells).toMatchObject({
      severity: "INFO",
      requestId,
      status: 404,
      "logging.googleapis.com/trace": `projects/${fleet.cells[cell]?.project}/traces/${traceId}`,
    });
  });

  test("where the router refuses by itself, and where HTTP breaks before there is a request", async () => {
    const { router } = fleet;
    const refused = await send(router, { path: "/v1/items", host: "nobody.example" });
    const told = problem.parse(JSON.parse(refused.body));
    expect(await lineOf("router", told.traceId)).toMatchObject({ status: 421, problem: told.code });
    for (const [service, origin] of [
      ["router", router],
      [cell, scene.world.apiOf(cell)],
    ] as const) {
      const text = await exchange(origin, "rubbish\r\n\r\n", { quietMs: 2_000 });
      const broken = problem.parse(JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4)));
      const requestId = /^x-request-id: (\S+)/m.exec(text)?.[1];
      expect(await lineOf(service, broken.traceId)).toMatchObject({ status: 400, requestId });
    }
  });

  test("the caller's, when it is a good one", async () => {
    for (const { origin, host } of scene.world.doors(cell)) {
      const made = `${trace.slice(0, 24)}${scene.world.run}`;
      const headers = [own(), ["traceparent", good.replace(trace, made)]] as const;
      const answer = await send(origin, { path: "/v1/items/not-there-at-all-0000", host, headers });
      expect(problem.parse(JSON.parse(answer.body)).traceId).toBe(made);
    }
  });
});

describe("a hostile traceparent is replaced", () => {
  test.each<[string, readonly string[]]>([
    ["malformed", ["00-zz-1-01"]],
    ["with capitals", [good.toUpperCase()]],
    ["giant", [`01-${trace}-${span}-01-${"x".repeat(8_000)}`]],
    ["twice", [good, good.replace(trace, "1".repeat(32))]],
    ["twice the same", [good, good]],
    ["two in one", [`${good}, ${good}`]],
    ["of version ff", [`ff${good.slice(2)}`]],
    ["a trace of zeros", [`00-${"0".repeat(32)}-${span}-01`]],
    ["a span of zeros", [`00-${trace}-${"0".repeat(16)}-01`]],
    ["with JSON in it", [`00-${trace}-${span}-01","severity":"CRITICAL`]],
  ])("%s", async (_, values) => {
    for (const { name, origin, host } of scene.world.doors(cell)) {
      const headers = [own(), ...values.map((value) => ["traceparent", value] as const)];
      const answer = await send(origin, { path: "/v1/items/not-there-at-all-0000", host, headers });
      const { traceId } = problem.parse(JSON.parse(answer.body));
      expect([name, values.some((value) => value.toLowerCase().includes(traceId))]).toEqual([name, false]);
      const line = await lineOf(cell, traceId);
      expect([name, line["severity"], line["status"]]).toEqual([name, "INFO", 404]);
      expect(JSON.stringify(line)).not.toContain(trace);
    }
  });
});
