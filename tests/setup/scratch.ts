import { cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const leftOut = new Set([".git", ".fleet", ".turbo", ".types", "dist", "node_modules"]);

/** A copy of the repository to take guards out of. Packages from the registry are linked, those of ours copied. */
export class Scratch {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async copyOf(root: string): Promise<Scratch> {
    const folder = await mkdtemp(join(tmpdir(), "mutants-"));
    await cp(root, folder, { recursive: true, filter: (path) => !leftOut.has(basename(path)) });
    await linkPackages(join(root, "node_modules"), join(folder, "node_modules"));
    for (const group of ["apps", "packages"]) {
      for (const name of await readdir(join(root, group))) {
        const own = join(root, group, name, "node_modules");
        await symlink(own, join(folder, group, name, "node_modules")).catch(() => undefined);
      }
    }
    return new Scratch(folder);
  }

  /** Replace `find`, which must be there exactly once, and run `work`; afterwards the file is as before. */
  async mutated<T>(file: string, find: string, replace: string, work: () => Promise<T>): Promise<T> {
    const path = join(this.folder, file);
    const original = await readFile(path, "utf8");
    const times = original.split(find).length - 1;
    if (times !== 1)
      throw new Error(`${file} holds ${JSON.stringify(find)} ${times} times: the mutant is out of date`);
    await writeFile(
      path,
      original.replace(find, () => replace),
    );
    try {
      return await work();
    } finally {
      await writeFile(path, original);
    }
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

async function linkPackages(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    if (name === ".cache") continue;
    if (name === "@proveniq") {
      // Relative links, which now lead to the copies.
      await mkdir(join(to, name));
      for (const own of await readdir(join(from, name))) {
        await symlink(await readlink(join(from, name, own)), join(to, name, own));
      }
    } else if (name.startsWith("@")) await linkPackages(join(from, name), join(to, name));
    else await symlink(join(from, name), join(to, name));
  }
}
