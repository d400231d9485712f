import type { Bake } from "@proveniq/control-plane/deploy";
import type { Environment } from "@proveniq/control-plane/environment";
import { parseDuration } from "./duration.ts";
import { exitCodes } from "./errors.ts";

export interface BakeOptions {
  bake?: number;
  window?: number;
}

/** `0` for not at all, else as `parseDuration`. */
export const bakeSeconds = (text: string): number => (text === "0" ? 0 : parseDuration(text));

/** How long to watch: as asked, else as is usual in the environment. */
export function bakeOf({ bake, window }: BakeOptions, { deploys }: Environment): Bake {
  const usual = deploys.usualBake;
  const total = bake ?? usual.seconds;
  return {
    seconds: total,
    windowSeconds: window ?? (total === 0 ? usual.windowSeconds : Math.min(usual.windowSeconds, total)),
  };
}

/** Ends with the first Ctrl-C, and says what happens then; a second one ends the process. */
export function untilInterrupted(say: (text: string) => void): { signal: AbortSignal; done(): void } {
  const abort = new AbortController();
  const onSignal = () => {
    if (abort.signal.aborted) process.exit(exitCodes.interrupted);
    say("Interrupted: putting back what was begun. Again to leave it as it is.");
    abort.abort(new Error("interrupted"));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: abort.signal,
    done: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
