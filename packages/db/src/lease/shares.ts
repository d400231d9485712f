/** What one holder may use of the whole, in millionths, until a time of the database's clock (ms). */
export interface Holding {
  parts: number;
  until: number;
}

/** Everybody's holdings, by holder. */
export type ShareBook = Readonly<Record<string, Holding>>;

export const whole = 1_000_000;

export interface Renewal {
  holder: string;
  /** The most that the holder may be using while its request is under way: it takes less as soon as it is told to. */
  inEffect: number;
  /** The database's time, ms. */
  now: number;
}

export interface Renewed {
  book: ShareBook;
  /** What the holder may use from now on. */
  parts: number;
  /** What it should come down to, or may come to once others have come down: an equal part. */
  fair: number;
  leaseMs: number;
  /** Milliseconds after which to renew: sooner for who is short of its fair part. */
  renewMs: number;
}

/** The book without a holder: it has stopped, and uses nothing any more. Pure. */
export function release(before: ShareBook, holder: string): ShareBook {
  return Object.fromEntries(Object.entries(before).filter(([id]) => id !== holder));
}

/** One document takes about one write a second for long: the more hold a part of it, the less often each renews. */
const shortestRenewMs = 5_000;
const renewMsPerHolder = 500;
/** A lease outlasts two renewals that failed. */
const renewalsPerLease = 3;

/**
 * Renew a holding, or take a first one. Pure. The parts of all holdings that last never add up to more than the whole:
 * nobody grows into what another may still be using, and what is written of a holder is never less than what it uses.
 */
export function renew(before: ShareBook, { holder, inEffect, now }: Renewal): Renewed {
  const others = Object.entries(before).filter(([id, { until }]) => id !== holder && until > now);
  const fair = Math.floor(whole / (others.length + 1));
  const free = whole - others.reduce((sum, [, { parts }]) => sum + parts, 0);
  // More than is free can only be in the mind of a holder whose lease has run out: it uses none of it any more.
  const using = Math.min(inEffect, Math.max(0, free));
  const written = Math.max(using, Math.min(fair, Math.max(0, free)));
  const renewMs = Math.max(shortestRenewMs, (others.length + 1) * renewMsPerHolder);
  const leaseMs = renewMs * renewalsPerLease;
  const until = Math.max(before[holder]?.until ?? 0, now + leaseMs);
  return {
    book: { ...Object.fromEntries(others), [holder]: { parts: written, until } },
    parts: Math.min(written, fair),
    fair,
    leaseMs,
    // Who must come down says so at once, so that others need not wait; who is short looks again soon.
    renewMs: written > fair ? 0 : written < fair ? renewMs / 5 : renewMs,
  };
}
