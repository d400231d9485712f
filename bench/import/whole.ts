import type { Billed } from "@proveniq/local-cloud/billing";
import type { Book } from "./books.ts";
import { type Stack, type StackOptions, startStack, timedImport } from "./contenders.ts";

/** A full import of a book into an empty tenant, and of the same book once more, from its begin to `completed`. */
export interface Whole {
  seconds: number;
  /** Of them, what came after the last row was sent. */
  endingSeconds: number;
  unchangedSeconds: number;
}

/** As a carrier has it: a cell that runs, a book that is the whole of its source, and the same book the next night. */
export async function wholeBook(book: Book, options: StackOptions): Promise<Whole> {
  const stack = await startStack(options);
  try {
    await timedImport(stack, book, ["--dry-run"]);
    const first = await timedImport(stack, book, ["--full"]);
    const again = await timedImport(stack, book, ["--full"]);
    requireCounts(book, first.counts, again.counts);
    return { seconds: first.seconds, endingSeconds: first.ending, unchangedSeconds: again.seconds };
  } finally {
    await stack.close();
  }
}

function requireCounts(book: Book, first: { created: number }, again: { unchanged: number }): void {
  if (first.created !== book.rows || again.unchanged !== book.rows)
    throw new Error(`${first.created} of ${book.rows} rows were created, ${again.unchanged} found unchanged`);
}

/**
 * What it costs to keep what is replaced, in percent of the rate, where that is most: of an import that changes every thing. The
 * editions of one book are imported one after the other, and from the second on every other one keeps nothing.
 */
export async function undoCost(editions: readonly Book[], options: StackOptions): Promise<number> {
  const seconds = { kept: 0, not: 0 };
  const stack = await startStack(options);
  try {
    for (const [n, book] of editions.entries()) {
      const way = n % 2 === 1 ? "kept" : "not";
      const run = await timedImport(stack, book, ["--full", ...(way === "not" ? ["--no-undo"] : [])]);
      if (n === 0) continue;
      if (run.counts.changed !== book.rows) throw new Error(`${run.counts.changed} rows were changed`);
      seconds[way] += run.seconds;
    }
  } finally {
    await stack.close();
  }
  return 100 * (1 - seconds.not / seconds.kept);
}

/** What Google would bill for those two imports, counted call by call. */
export async function billedFor(
  book: Book,
  options: StackOptions,
): Promise<{ created: Billed; unchanged: Billed }> {
  const stack = await startStack({ ...options, billed: true });
  try {
    const first = await timedImport(stack, book, ["--full"]);
    const created = take(stack);
    const again = await timedImport(stack, book, ["--full"]);
    requireCounts(book, first.counts, again.counts);
    return { created, unchanged: take(stack) };
  } finally {
    await stack.close();
  }
}

function take({ cell }: Stack): Billed {
  if (cell.billing === undefined) throw new Error("nothing was counted");
  const billed = cell.billing.billed();
  cell.billing.reset();
  return billed;
}
