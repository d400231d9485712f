/**
 * Google's list prices in US dollars for nam5, a multi-region, by https://cloud.google.com/firestore/pricing. Written down at
 * `asOf` without a look at the live page: check them there before a decision hangs on them.
 */
export const prices = {
  asOf: "2026-12-01",
  location: "nam5",
  /** For each document. */
  read: 0.06 / 100_000,
  write: 0.18 / 100_000,
  delete: 0.02 / 100_000,
} as const;

/** What a month of the stated workload does. */
export const workload = {
  items: 10_000_000,
  getsPerSecond: 20,
  listsPerSecond: 5,
  writesPerSecond: 2,
  /** Each the whole book, of which nothing has changed. */
  importsPerMonth: 30,
  portfoliosPerMonth: 30 * 24,
  seconds: 30 * 24 * 3_600,
} as const;
