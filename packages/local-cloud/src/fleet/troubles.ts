import type { Trouble } from "@proveniq/control-plane/status";
import type { ControlledService } from "../control/server.ts";
import type { Loss } from "./losses.ts";

/** So often within a short while a service ends before that is more than an accident, and so long it is remembered, in milliseconds. */
const often = 2;
const rememberedMs = 60_000;

/** What is wrong with the processes of a local fleet, which no part of it could answer itself. Pure. */
export function troublesOf(
  services: ReadonlyMap<string, ControlledService>,
  losses: readonly Loss[],
  now = Date.now(),
): Trouble[] {
  const all = [...services];
  return [
    ...all.flatMap(([service, { deaths }]): Trouble[] =>
      deaths === undefined || deaths.count < often || now - Date.parse(deaths.at) > rememberedMs
        ? []
        : [{ kind: "keeps-ending", service, ...deaths }],
    ),
    ...all.flatMap(([service, { logFailure }]): Trouble[] =>
      logFailure === undefined ? [] : [{ kind: "no-log", service, ...logFailure }],
    ),
    ...losses.map((loss): Trouble => ({ kind: "data-lost", ...loss })),
  ];
}
