import { createInterface } from "node:readline/promises";
import { CommandError, exitCodes } from "./errors.ts";

/**
 * Anything but this machine's fleet is changed only by somebody who has typed what is going to be changed: nobody does it by
 * a line from the history. Throws `CommandError` when it is not typed, or is something else.
 */
export async function confirmTyped(
  what: string,
  where: string,
  confirm: string | undefined,
  isTerminal = process.stdin.isTTY,
): Promise<void> {
  const typed =
    confirm ??
    (isTerminal ? await ask(`This changes ${what} in ${where}. Type ${what} to go on: `) : undefined);
  if (typed === what) return;
  throw new CommandError(
    typed === undefined
      ? `This changes ${what} in ${where}. Say so with --confirm ${what}.`
      : `${typed} is not ${what}: nothing was changed.`,
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
