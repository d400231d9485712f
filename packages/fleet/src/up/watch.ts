import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";

const quietMs = 200;

/** Folders whose files end up in what runs. */
export const sources = [
  "apps/cell-api/src",
  "apps/analytics-sink/src",
  "apps/router/src",
  "packages/contracts/src",
  "packages/tenant-context/src",
  "packages/db/src",
];

/** True for a file that a build reads: no tests, no drafts of editors. */
export function isSource(file: string): boolean {
  return /\.(ts|json)$/.test(file) && !/\.test\.ts$|(^|\/)[.#~]/.test(file);
}

/**
 * Call `changed` when sources have changed and then been quiet for a moment; never twice at once, and once more after it when
 * something changed meanwhile. Resolves to a function that ends it.
 */
export function watchSources(root: string, changed: (files: string[]) => Promise<void>): () => void {
  const pending = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let busy = false;

  async function run(): Promise<void> {
    if (busy || pending.size === 0) return;
    busy = true;
    const files = [...pending].sort();
    pending.clear();
    await changed(files).finally(() => {
      busy = false;
    });
    await run();
  }

  const watchers = sources.flatMap((folder): FSWatcher[] => {
    try {
      return [
        watch(join(root, folder), { recursive: true }, (_, name) => {
          if (name === null || !isSource(name)) return;
          pending.add(join(folder, name));
          clearTimeout(timer);
          timer = setTimeout(() => void run(), quietMs);
        }),
      ];
    } catch {
      // An app that is not there yet.
      return [];
    }
  });
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
