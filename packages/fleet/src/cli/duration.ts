import { InvalidArgumentError } from "commander";

const seconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90s`, `15m`, `12h` or `30d` in seconds, or commander's complaint. */
export function parseDuration(text: string): number {
  const [, count, unit = ""] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  if (count === undefined)
    throw new InvalidArgumentError("It must be a number and s, m, h or d, such as 90d.");
  return Number(count) * (seconds[unit] ?? 1);
}
