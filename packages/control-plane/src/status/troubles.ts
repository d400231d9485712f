import { z } from "zod";
import type { Finding } from "./types.ts";

/** What is wrong with a local fleet's processes and data, told by whoever started them: in the cloud the platform does. */
export const trouble = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("keeps-ending"),
    service: z.string(),
    count: z.int(),
    last: z.string(),
    at: z.iso.datetime(),
  }),
  z.strictObject({ kind: z.literal("no-log"), service: z.string(), since: z.string(), reason: z.string() }),
  z.strictObject({
    kind: z.literal("data-lost"),
    database: z.string(),
    at: z.iso.datetime(),
    savedAt: z.iso.datetime().nullable(),
  }),
]);
export type Trouble = z.infer<typeof trouble>;

const page = "docs/runbooks/cell-loss.md";

/** What to tell of them, and what to type. `mixed`: not all cells run the same artefact. Pure. */
export function judgeTroubles(troubles: readonly Trouble[], mixed: boolean): Finding[] {
  const noLog = troubles.filter((each) => each.kind === "no-log");
  const [first] = noLog;
  const others = troubles.flatMap((each): Finding[] => {
    if (each.kind === "no-log") return [];
    const { where, logs } = placeOf(each.kind === "data-lost" ? each.database : each.service);
    if (each.kind === "keeps-ending") {
      const what = `${each.service} keeps ending: ${each.count} times, last at ${each.at} (${each.last})`;
      const back = mixed && where !== "fleet";
      return [
        {
          where,
          level: "ill",
          what,
          runbook: back ? "docs/runbooks/bad-deploy.md" : page,
          next: back ? `npx fleet rollback ${where}` : `npx fleet logs ${logs} --since 15m`,
        },
      ];
    }
    const since = each.savedAt === null ? "all that was in it" : `what was written after ${each.savedAt}`;
    const whose = each.database === "all" ? "every database" : `the database of ${each.database}`;
    return [
      {
        where,
        level: "ill",
        what: `${whose} was lost at ${each.at}, and ${since} with it`,
        runbook: page,
        next: "npx fleet acknowledge",
      },
    ];
  });
  if (first === undefined) return others;
  const names = noLog.map(({ service }) => service).join(", ");
  return [
    ...others,
    {
      where: "fleet",
      level: "ill",
      what: `logs cannot be written since ${first.since} (${first.reason}), of ${names}: all serves on without them`,
      runbook: page,
      next: "df -h .",
    },
  ];
}

/** The cell that a service is of, and how its log is asked for. */
function placeOf(service: string): { where: string; logs: string } {
  const [, kind, cell] = /^(bulk|replicate|sink|emulator)-(.+?)(?:@.*)?$/.exec(service) ?? [];
  if (cell === undefined) {
    const name = service.replace(/@.*$/, "");
    const own = ["router", "warehouse", "central", "all"].includes(name);
    return { where: own ? "fleet" : name, logs: name };
  }
  if (cell === "central") return { where: "fleet", logs: "central" };
  return { where: cell, logs: `${cell} --service ${kind === "emulator" ? "database" : kind}` };
}
