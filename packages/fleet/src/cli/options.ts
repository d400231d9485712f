import { maxPortBase } from "@proveniq/local-cloud/fleet";
import { Command, InvalidArgumentError, Option } from "commander";

/** Options that several commands share, each with one wording. */
const jsonOption = () =>
  new Option("--json", 'print one JSON document instead of text; errors are {"error": "…"}');

export const portBaseOption = () =>
  new Option("--port-base <port>", "the router's port; all others follow from it (default: 8080)").argParser(
    wholeNumber("a port", 1024, maxPortBase),
  );

/** Parses a whole number within bounds, or says which are allowed. */
export function wholeNumber(what: string, min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be ${what} from ${min} to ${max}.`);
  };
}

/** Parses `a,b,c`; may be given several times. */
export function list(text: string, before: string[] | undefined): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.some((name) => name === "")) {
    throw new InvalidArgumentError("It must be names with commas between them.");
  }
  return [...(before ?? []), ...names];
}

/** A command that follows the house's rules: --json, examples below its help, suggestions. */
export function command(name: string, summary: string, examples: readonly string[]): Command {
  return plainCommand(name, summary, examples).addOption(jsonOption());
}

/** The same without --json: for what prints what others made. */
export function plainCommand(name: string, summary: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(summary)
    .showSuggestionAfterError()
    .addHelpText("after", `\nExamples:\n${examples.map(typed).join("\n")}`);
}

/** As it is typed: programs of others are no business of npx. */
function typed(line: string): string {
  return `  ${line.startsWith("fleet ") ? "npx " : ""}${line}`;
}

/** What a command prints with --json, for its help. */
export function shapes(text: string): string {
  return `\nWith --json: ${text}`;
}
