/** Days for which a key is kept, today included: after that nobody can make its pseudonyms again. */
export const keyDays = 7;

/**
 * A change older than this many days is dated by its delivery. The gap to `keyDays` is how long a delivery may be
 * repeated with the same bytes.
 */
export const lateAfterDays = 4;

const dayMs = 86_400_000;

/** The UTC day of a moment, YYYY-MM-DD. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

/** Whole days from `from` to `to`, both YYYY-MM-DD. */
export const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / dayMs;

/** The day under which a change is counted, in a delivery planned on `planned`. */
export function countedDay(occurredAt: string, planned: string): string {
  const day = dayOf(new Date(occurredAt));
  const age = daysBetween(day, planned);
  // A clock that is a little ahead may date a change tomorrow; anything further off is not believed.
  return age >= -1 && age <= lateAfterDays ? day : planned;
}

/** True when the key of `day` must be gone by `today`. */
export const keyExpired = (day: string, today: string): boolean => daysBetween(day, today) >= keyDays;
