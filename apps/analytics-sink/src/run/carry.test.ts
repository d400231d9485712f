import type { Pause } from "@proveniq/contracts";
import { expect, test } from "vitest";
import type { Delivery } from "../delivery/delivery.ts";
import { silentLogger } from "../log.ts";
import { type Carrying, carry } from "./carry.ts";
import { readiness } from "./health.ts";
import type { Sink } from "./sink.ts";

const pause: Pause = {
  what: "sink",
  since: "2026-11-28T00:00:00.000Z",
  who: "ann",
  from: "desk",
  reason: "warehouse maintenance",
};

test("a paused sink takes no step, says why once, claims nothing of what waits, and goes on by itself", async () => {
  const stop = new AbortController();
  const answers = [undefined, pause, pause, undefined];
  const seen: { steps: number; steppedAt: boolean; ready: string; reason: string | undefined }[] = [];
  const said: string[] = [];
  let steps = 0;
  const delivery = {
    backlog: { oldest: undefined, pages: 0, more: false },
    state: undefined,
    step: () => {
      steps += 1;
      return Promise.resolve("idle" as const);
    },
  } as unknown as Delivery;
  const carrying: Carrying = { steppedAt: undefined, failures: 0, pause: undefined };
  const sink = () => ({ statuses: [{ ...carrying, database: "main", delivery }] }) as unknown as Sink;
  await carry(
    {
      delivery,
      database: "main",
      paused: () => Promise.resolve(answers.shift()),
      logger: {
        ...silentLogger,
        info: (_, text) => said.push(text),
        warn: (about, text) => said.push(`${text} ${JSON.stringify(about)}`),
      },
      signal: stop.signal,
      idleMs: 1,
      alarmAgeMs: 1_000,
      wait: () => {
        const { state, outboxes } = readiness(sink());
        const [box] = outboxes;
        expect(state).toBe("ready");
        seen.push({
          steps,
          steppedAt: carrying.steppedAt !== undefined,
          ready: box?.state ?? "",
          reason: box?.reason,
        });
        if (answers.length === 0) stop.abort();
        return Promise.resolve();
      },
    },
    carrying,
  );
  const paused = { steps: 1, steppedAt: false, ready: "paused", reason: "paused: warehouse maintenance" };
  expect(seen).toEqual([
    { steps: 1, steppedAt: true, ready: "ready", reason: undefined },
    paused,
    paused,
    { steps: 2, steppedAt: true, ready: "ready", reason: undefined },
  ]);
  expect(said).toEqual([
    `the sink is paused and carries nothing ${JSON.stringify({ database: "main", pause })}`,
    "carrying events goes on",
  ]);
});
