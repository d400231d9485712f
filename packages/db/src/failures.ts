import { ProblemError } from "@proveniq/contracts";

/** How long one operation of a request may take in all, its retries included, in milliseconds. */
export const operationTimeoutMs = 8_000;

/** gRPC codes that mean: the database could not do it now. Anything else is our own mistake, and a 500. */
const transient: ReadonlySet<unknown> = new Set([
  1, // CANCELLED
  2, // UNKNOWN
  4, // DEADLINE_EXCEEDED
  8, // RESOURCE_EXHAUSTED
  10, // ABORTED: contention, after the library's own retries
  13, // INTERNAL
  14, // UNAVAILABLE
]);

function unavailable(cause: unknown): ProblemError {
  return new ProblemError(
    "database-unavailable",
    "The database did not answer in time. A write may or may not have been made: repeat it with the same " +
      "Idempotency-Key, and it is made once.",
    { headers: { "retry-after": "2" }, cause },
  );
}

/**
 * INVALID_ARGUMENT, when it is about a transaction that took so long that the database gave it up: nobody's mistake. The library
 * tries again only where the message has the first of these words.
 */
const givenUp = /transaction (has expired|is invalid or closed|has been closed)|no longer valid/i;

/** The error to throw for whatever Firestore threw. */
export function explained(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  const lost = transient.has(error.code) || (error.code === 3 && givenUp.test(error.message));
  return lost ? unavailable(error) : error;
}

/**
 * Runs `work` and maps Firestore's errors. After `timeoutMs` it rejects with
 * `ProblemError("database-unavailable")`, though `work` may still be ending in the background; `expired()`
 * tells `work` so, and it must then start nothing new.
 */
export async function withinDeadline<T>(
  timeoutMs: number,
  work: (expired: () => boolean) => Promise<T>,
): Promise<T> {
  let late = false;
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late = true;
      reject(unavailable(new Error(`no answer within ${timeoutMs} ms`)));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(() => late), deadline]);
  } catch (error) {
    throw explained(error);
  } finally {
    clearTimeout(timer);
  }
}
