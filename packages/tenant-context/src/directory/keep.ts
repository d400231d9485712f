import { readFile, rename, writeFile } from "node:fs/promises";
import { messageOf } from "@proveniq/contracts";
import type { DirectoryLog } from "./types.ts";

/** A directory that can be kept across restarts. */
export interface Keepable {
  readonly changes: number;
  snapshot(): string | undefined;
  restore(text: string): void;
}

/**
 * Begin with what `file` holds, and from then on write what the directory knows to it: every `everyMs` when something
 * has changed, and once more when the returned function is called. A missing or broken file costs a log line, no more.
 */
export async function keepInFile(
  directory: Keepable,
  options: { file: string; log: DirectoryLog; everyMs?: number },
): Promise<() => Promise<void>> {
  const { file, log, everyMs = 10_000 } = options;
  const warn = (message: string, error: unknown) => log("warn", message, { file, reason: messageOf(error) });
  try {
    directory.restore(await readFile(file, "utf8"));
  } catch (error) {
    warn("no kept directory", error);
  }
  let kept = directory.changes;
  let writing: Promise<void> | undefined;
  const write = async () => {
    const text = directory.snapshot();
    const { changes } = directory;
    if (text === undefined || changes === kept) return;
    try {
      // Beside it and over it: a crash leaves the old file or the new one.
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
      kept = changes;
    } catch (error) {
      warn("directory could not be kept", error);
    }
  };
  const save = (): Promise<void> => {
    writing ??= write().finally(() => {
      writing = undefined;
    });
    return writing;
  };
  const timer = setInterval(() => void save(), everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await writing;
    await save();
  };
}
