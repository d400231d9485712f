import { type DirectorySnapshot, messageOf } from "@proveniq/contracts";
import { RefusedError } from "../refused.ts";

/** What a target holds is no directory. It is replaced by the next publication. */
export class UnreadableDirectory extends RefusedError {}

/** Where routers read the directory. */
export interface DirectoryTarget {
  /** For people and the audit; never with a password. */
  readonly name: string;
  /** Whether it takes no more than `directory.maxBytes` of fleet.json; files and Redis take what comes. */
  readonly capped: boolean;
  /**
   * What is there now, an impossible version counting as the first; undefined for nothing. Throws `UnreadableDirectory` when it is
   * no directory, and something else when it cannot be asked.
   */
  read(): Promise<DirectorySnapshot | undefined>;
  /** SHA-256 of the text that was last read, where the directory is one. */
  digest?(): string | undefined;
  /** Keep what cannot be read out of the way of `write`, where its platform keeps no copies itself; where it is then, for people. */
  setAside(): Promise<string | undefined>;
  /** Put a directory there, whole or not at all. */
  write(snapshot: DirectorySnapshot): Promise<void>;
  close(): void;
}

/** The same error by its own name, so that it is known that what is there was read, and is nothing. */
export function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UnreadableDirectory(messageOf(error));
  }
}
