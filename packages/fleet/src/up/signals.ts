import { ancestors, watchLifeline } from "@proveniq/local-cloud/lifeline";
import { exitCodes } from "../cli/errors.ts";
import type { CliConfig } from "../config.ts";

/** What asks a running fleet to stop. */
export interface StopRequests {
  /** Aborts with the first request; its reason is a sentence about who asked. */
  signal: AbortSignal;
  /** Called with each further request. */
  onAgain(callback: () => void): void;
  dispose(): void;
}

/**
 * Listen to everything by which a person or a parent ends us: Ctrl-C, SIGTERM, a closed terminal, a closed output pipe, and the
 * end of the npm or the wrapper that started us, which passes nothing on when it is killed.
 */
export async function stopRequests(config: CliConfig): Promise<StopRequests> {
  const controller = new AbortController();
  // What is still running then dies with us, by the watchdog.
  let again: () => void = () => process.exit(exitCodes.interrupted);
  const ask = (reason: string) => {
    if (controller.signal.aborted) again();
    else controller.abort(reason);
  };
  const bySignal = (name: NodeJS.Signals) => ask(name === "SIGINT" ? "Ctrl-C" : name);
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) process.on(name, bySignal);
  const pipeClosed = () => {
    if (!controller.signal.aborted) controller.abort("the output was closed");
  };
  process.stdout.on("error", pipeClosed);
  process.stderr.on("error", pipeClosed);

  const wrapperGone = () => {
    if (!controller.signal.aborted) controller.abort("the process that started us has ended");
  };
  process.on("disconnect", wrapperGone);
  // Listening must not keep us alive.
  process.channel?.unref();

  const unwatch = watchLifeline(await starters(config), (pid) => {
    if (!controller.signal.aborted) controller.abort(`process ${pid}, which started us, has ended`);
  });
  return {
    signal: controller.signal,
    onAgain(callback) {
      again = callback;
    },
    dispose() {
      unwatch();
      process.off("disconnect", wrapperGone);
      for (const name of names) process.off(name, bySignal);
    },
  };
}

/** The chain of processes up to the npm that started us; nothing when a person's shell did. */
async function starters(config: CliConfig): Promise<number[]> {
  if (!config.underNpm) return [];
  const chain = await ancestors();
  const npm = chain.findIndex(({ command }) => /(^|[/\s])np[mx](-cli\.js)?(\s|$)/.test(command));
  return chain.slice(0, npm + 1).map(({ pid }) => pid);
}
