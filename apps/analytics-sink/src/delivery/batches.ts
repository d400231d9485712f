import type { WaitingPage } from "@proveniq/db/outbox/sink";

/** Names of pages in groups that stay within the bounds; a page over them is a group of its own. */
export function* batches(
  pages: readonly WaitingPage[],
  maxEvents: number,
  maxPages: number,
): Generator<string[]> {
  let names: string[] = [];
  let events = 0;
  for (const page of pages) {
    if (names.length > 0 && (events + page.events > maxEvents || names.length >= maxPages)) {
      yield names;
      names = [];
      events = 0;
    }
    names.push(page.name);
    events += page.events;
  }
  if (names.length > 0) yield names;
}
