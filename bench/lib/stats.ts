/** The middle of some figures (the mean of the two in the middle), rounded to a tenth. Throws for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new Error("a median needs at least one figure");
  return Math.round(5 * (lower + upper)) / 10;
}

/** Smallest and largest, for people who want to know how steady a figure is. */
export function spread(values: readonly number[]): string {
  return `${Math.round(Math.min(...values))}-${Math.round(Math.max(...values))}`;
}
