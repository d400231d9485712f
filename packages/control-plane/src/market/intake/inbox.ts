/** An object that waits: its name, and which version of it. */
export interface Waiting {
  name: string;
  /** Another one when somebody wrote the same name anew. */
  version: string;
}

/**
 * Where files of market values arrive, and where they are put when they were looked at. Every method may be called again after a
 * process died in the middle of it, and then ends in the same state.
 */
export interface Inbox {
  /** Objects that wait, in the order of their names, by their characters' numbers. */
  waiting(): Promise<Waiting[]>;
  /** Whether that version still waits. */
  waits(object: Waiting): Promise<boolean>;
  read(object: Waiting): AsyncIterable<Uint8Array>;
  /** The last name, in that order, that was published; undefined before the first. */
  lastPublished(): Promise<string | undefined>;
  /** SHA-256 of what was published under a name; undefined for none. */
  published(name: string): Promise<string | undefined>;
  /** Take it from those that wait: it was published, and is kept with its SHA-256. */
  keep(object: Waiting, sha256: string): Promise<void>;
  /** Take it from those that wait, for good: the very same was published before. */
  drop(object: Waiting): Promise<void>;
  /** Take it from those that wait and put it aside, with the reasons beside it. */
  setAside(object: Waiting, reasons: string): Promise<void>;
}

/** In order of their characters' numbers, as object stores list them. */
export const byName = (a: { name: string }, b: { name: string }): number =>
  a.name < b.name ? -1 : Number(a.name > b.name);
