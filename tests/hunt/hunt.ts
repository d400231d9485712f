import type { ParseArgsOptionsConfig } from "node:util";

/** A rule that did not hold. `schedule` names what replays it; undefined: it showed between schedules. */
export interface Violation {
  schedule: number | undefined;
  what: string;
}

export interface HuntOrder {
  seed: number;
  /** Schedules `first` to `first + count - 1` are played: schedule `n` follows from the seed and `n` alone. */
  first: number;
  count: number;
  /** Begin no more schedules after this, a value of `performance.now()`. */
  deadline: number;
  /** Stop once so many violations are known. */
  enough: number;
  /** The hunt's own options, as they were given. */
  options: Readonly<Record<string, string | boolean | undefined>>;
  /** Called now and then, for people who watch. */
  progress: (line: string) => void;
}

export interface HuntResult {
  schedules: number;
  violations: Violation[];
  /** Units in their names. */
  figures: Record<string, number>;
}

/** What `tests/hunt/NAME/index.ts` exports as `hunt`. */
export interface Hunt {
  /** One line for the list of hunts. */
  description: string;
  /** More options for the command line, beside those of all hunts; each with a line of help. */
  options: ParseArgsOptionsConfig;
  help: Readonly<Record<string, string>>;
  /** Play schedules until they are done, the deadline has come or enough violations are known. */
  run(order: HuntOrder): Promise<HuntResult>;
}

/** True for an object of that shape. */
export function isHunt(value: unknown): value is Hunt {
  return (
    typeof value === "object" &&
    value !== null &&
    "description" in value &&
    typeof value.description === "string" &&
    "run" in value &&
    typeof value.run === "function" &&
    "options" in value &&
    "help" in value
  );
}
