import { existsSync, type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { join, relative } from "node:path";

const quietMs = 200;

/** Apps and packages of which nothing runs in a cell or the router: the operators' own tools. */
const tools = new Set(["packages/control-plane", "packages/fleet", "packages/local-cloud"]);

/** Folders whose files end up in what runs. */
export function sourcesOf(root: string): string[] {
  return ["apps", "packages"]
    .filter((group) => existsSync(join(root, group)))
    .flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}`))
    .filter((place) => !tools.has(place) && existsSync(join(root, place, "src")))
    .map((place) => `${place}/src`);
}

/** True for a file that a build reads: no tests, no drafts of editors. */
export function isSource(file: string): boolean {
  return /\.(ts|json)$/.test(file) && !/\.test\.ts$|(^|\/)[.#~]/.test(file);
}

/**
 * Call `changed` when sources have changed and then been quiet for a moment; never twice at once, and once more after it when
 * something changed meanwhile. Returns a function that ends it.
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

  const watchers = sourcesOf(root).map((folder) =>
    watchFolders(join(root, folder), (file) => {
      if (!isSource(relative(root, file))) return;
      pending.add(relative(root, file));
      clearTimeout(timer);
      timer = setTimeout(() => void run(), quietMs);
    }),
  );
  return () => {
    clearTimeout(timer);
    for (const end of watchers) end();
  };
}

/**
 * Tell the path of each file under `top` that changes, comes or goes. Folders are watched, not files: most editors save by renaming
 * a new file over the old one, and whoever watches the old one never hears of it.
 */
function watchFolders(top: string, told: (file: string) => void): () => void {
  const watchers = new Map<string, FSWatcher>();

  function end(folder: string): void {
    for (const [path, watcher] of watchers) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue;
      watcher.close();
      watchers.delete(path);
    }
  }

  /** `news`: the folder is new, so what it holds is too. */
  function begin(folder: string, news: boolean): void {
    if (watchers.has(folder) || statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
    try {
      const watcher = watch(folder, (_, name) => {
        if (name === null) return;
        const path = join(folder, name);
        told(path);
        begin(path, true);
      });
      watcher.on("error", () => end(folder));
      watchers.set(folder, watcher);
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isDirectory()) begin(path, news);
        else if (news) told(path);
      }
    } catch {
      // Gone again.
      end(folder);
    }
  }

  begin(top, false);
  return () => end(top);
}
