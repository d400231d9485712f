import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningRouter, startRouter } from "../testing/start-router.ts";
import { conformanceCases } from "./cases.ts";
import { observe } from "./run.ts";
import { type ScriptedCell, startScriptedCell } from "./scripted-cell.ts";

let cell: ScriptedCell;
let router: RunningRouter;

beforeAll(async () => {
  cell = await startScriptedCell();
  router = await startRouter({ consumer: cell.origin });
});
afterAll(async () => {
  await router.stop();
  await cell.close();
});

describe("HTTP, byte by byte", () => {
  it.each(conformanceCases.map((c) => [c.name, c] as const))("%s", async (_, c) => {
    const seen = await observe(router.port, cell, c);
    expect({ wrong: c.check(seen), reply: seen.reply }).toEqual({ wrong: undefined, reply: seen.reply });
  });

  it("still serves after all of that", async () => {
    const plain = conformanceCases.filter((c) => c.name === "a plain GET");
    const statuses = await Promise.all(
      plain.map(async (c) => (await observe(router.port, cell, c)).statuses),
    );
    expect(statuses).toEqual([[200]]);
  });
});
