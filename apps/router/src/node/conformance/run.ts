import { setTimeout as sleep } from "node:timers/promises";
import type { ConformanceCase, Observed } from "./case.ts";
import { exchangeRaw, statusesIn } from "./raw-client.ts";
import { plainAnswer, type ScriptedCell } from "./scripted-cell.ts";

/** Run one case against the proxy on `port`, whose only cell is `cell`. */
export async function observe(
  port: number,
  cell: ScriptedCell,
  c: ConformanceCase,
  quietMs = 80,
): Promise<Observed> {
  const answers = c.answers ?? [plainAnswer];
  let answered = 0;
  cell.seen.length = 0;
  cell.script = (_request, socket) => {
    const answer = answers[Math.min(answered, answers.length - 1)] ?? plainAnswer;
    answered += 1;
    const write = () =>
      c.cellCloses === true ? socket.end(answer, "latin1") : socket.write(answer, "latin1");
    if (c.cellMs === undefined) write();
    else setTimeout(write, c.cellMs);
  };
  const reply = await exchangeRaw(port, c.send, { quietMs });
  await sleep(2);
  return {
    reply: reply.text,
    closed: reply.closed,
    statuses: statusesIn(reply.text),
    arrived: cell.seen.map((r) => ({
      line: r.line,
      headers: r.headers.map((h) => h.replace(/^[^:]*:\s*/, (name) => `${name.trim().toLowerCase()} `)),
      body: r.body,
    })),
  };
}
