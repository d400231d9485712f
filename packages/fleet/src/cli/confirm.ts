import { createInterface } from "node:readline/promises";
import { CommandError, exitCodes } from "./errors.ts";

/**
 * Anything but this machine's fleet is changed only by somebody who has typed what is going to be changed: nobody does it by
 * a line from the history. Throws `CommandError` when it is not typed, or is something else.
 */
export async function confirmTyped(name: string, confirm: string | undefined): Promise<void> {
  const typed = confirm ?? (process.stdin.isTTY ? await ask(`Type ${name} to go on: `) : undefined);
  if (typed === name) return;
  throw new CommandError(
    typed === undefined
      ? `Nothing was changed. Say so with --confirm ${name}.`
      : `${typed} is not ${name}: nothing was changed.`,
    exitCodes.usage,
  );
}

/** Ask on a terminal; anything but y or yes is no. */
export async function confirmYes(question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} [y/N] `));
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}
