import { createInterface } from "node:readline/promises";
import { Option } from "commander";
import type { Output } from "../output/print.ts";
import { CommandError, exitCodes } from "./errors.ts";

export const confirmOption = () =>
  new Option(
    "--confirm <cell>",
    "the cell's id once more, for a change in the cloud; a terminal asks for it",
  );

/**
 * Before a change in the cloud: say what it reaches, and have the cell's id typed once more, so that nobody changes a cell by
 * a line from the history. Throws `CommandError` when it is not typed, or is another.
 */
export async function confirmCloud(
  output: Output,
  target: { cell: string; where: string },
  confirmed: string | undefined,
  terminal: { isTTY?: boolean } = process.stdin,
): Promise<void> {
  const { cell, where } = target;
  // Beside the result, which may be JSON.
  output.err(`Target: ${where}`);
  const typed = confirmed ?? (terminal.isTTY === true ? await ask(`Type ${cell} to go on: `) : undefined);
  if (typed === undefined)
    throw new CommandError(`Nothing was changed. Add --confirm ${cell} to change it.`, exitCodes.usage);
  if (typed !== cell)
    throw new CommandError(`Nothing was changed: "${typed}" is not "${cell}".`, exitCodes.usage);
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
  }
}
