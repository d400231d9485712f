import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { messageOf, type OriginRule } from "@proveniq/contracts";
import { SnapshotDirectory } from "./snapshot-directory.ts";
import type { DirectoryLog } from "./types.ts";

/** A directory that follows a file. `close` stops following; what was read stays readable. */
export interface FileDirectory {
  readonly directory: SnapshotDirectory;
  /** SHA-256 of the text that is believed; undefined before the first. */
  digest(): string | undefined;
  /** Look at the file now; resolves when it has been read. For tests and signals. */
  refresh(): Promise<void>;
  close(): void;
}

/**
 * Read a DirectorySnapshot from `file` and follow its changes: by watching its folder, and by looking every `pollMs`
 * (watching is not reliable on every file system). Write the file beside and rename it over; a half-written one is
 * not believed, and is read again once it has changed. A missing file is reported once and waited for.
 */
export async function openFileDirectory(options: {
  file: string;
  log: DirectoryLog;
  origins: OriginRule;
  pollMs?: number;
}): Promise<FileDirectory> {
  const { file, log, origins, pollMs = 1_000 } = options;
  const directory = new SnapshotDirectory(log, { readAgain: () => void refresh(), origins });
  let seen = "";
  let digest: string | undefined;
  let reading: Promise<void> | undefined;

  const read = async (): Promise<void> => {
    try {
      const { mtimeMs, size, ino } = await stat(file);
      const mark = `${mtimeMs}:${size}:${ino}`;
      if (mark === seen) return;
      const text = await readFile(file, "utf8");
      seen = mark;
      if (directory.offerText(text, file) === "accepted")
        digest = createHash("sha256").update(text).digest("hex");
    } catch (error) {
      const reason = messageOf(error);
      if (seen !== reason) log("warn", "directory file not readable", { source: file, reason });
      seen = reason;
    }
  };
  const refresh = (): Promise<void> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  await refresh();
  const watcher = watchFolder(file, () => void refresh());
  const timer = setInterval(() => void refresh(), pollMs);
  timer.unref();
  return {
    directory,
    digest: () => digest,
    refresh,
    close: () => {
      clearInterval(timer);
      watcher?.close();
    },
  };
}

/** Undefined where the folder cannot be watched: looking every now and then is enough there. */
function watchFolder(file: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name === null || name === basename(file)) onChange();
    });
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
