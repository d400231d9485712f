import { faultsOf, ProblemError, pointerOf } from "@proveniq/contracts";
import type { z } from "zod";

const maxFaults = 20;

/**
 * Parse a value or throw invalid-request with each fault (the first 20) and where it is. `fixed`: fields that are answered and
 * never taken, with what to say to somebody who sends one back.
 */
export function validate<T>(
  schema: z.ZodType<T>,
  value: unknown,
  what: string,
  fixed: Readonly<Record<string, string>> = {},
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = faultsOf(parsed.error)
    .slice(0, maxFaults)
    .map(({ path, message }) => {
      const field = path.slice(1);
      return {
        path: path.slice(0, 200),
        message: Object.hasOwn(fixed, field) ? (fixed[field] ?? "") : message,
      };
    });
  throw new ProblemError("invalid-request", `The ${what} is not valid.`, { errors });
}

/** The query string as an object: each name once. */
export function queryOf(url: string): Record<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URL(url).searchParams) {
    if (query.has(name)) {
      throw new ProblemError("invalid-request", "The query is not valid.", {
        errors: [{ path: pointerOf([name]).slice(0, 200), message: "is given twice" }],
      });
    }
    query.set(name, value);
  }
  return Object.fromEntries(query);
}
