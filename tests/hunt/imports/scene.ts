import type { Random } from "../random.ts";
import type { Book } from "./book.ts";
import type { Caller } from "./caller.ts";
import type { Beginning } from "./calls.ts";
import type { Held } from "./model.ts";

/** What happens to an import. */
export interface Choices extends Beginning {
  /** Chance, for each step, that it is cancelled, and that nobody goes on with it. */
  cancel: number;
  abandon: number;
  /** Chance, for each call of complete, that it is cancelled as soon as it writes. */
  cancelWriting: number;
  /** Chance that it is previewed. */
  preview: number;
  /** Chance that it is undone, and that somebody changes something before. */
  undone: number;
  disturbed: number;
}

/** What a case shares among its imports. */
export interface Scene {
  random: Random;
  caller: Caller;
  book: Book;
  faults: string[];
  /** Something a person does to the book meanwhile. */
  interrupt: () => Promise<void>;
  /** What is stored, as it is at one moment. */
  held: () => Promise<Map<string, Held>>;
  busy: number;
  /** Calls of complete that an import of so many rows may take until it ends. */
  mostCalls: (rows: number) => number;
}
