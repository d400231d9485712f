import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { promisify } from "node:util";
import { parseFile } from "@proveniq/contracts";
import { z } from "zod";

const run = promisify(execFile);

/** infra/releases/last.json: which release is the last one, and where what it stored and answered is kept. */
export const releaseRecord = z.strictObject({
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  artefactDigest: z.string().regex(/^[0-9a-f]{64}$/),
  recordedAt: z.iso.datetime(),
  documents: z.string().describe("Every document of its databases, one a line, beside this file"),
  answers: z.string().describe("What it answered, and what it left unfinished, beside this file"),
});
export type ReleaseRecord = z.infer<typeof releaseRecord>;

/** A built artefact that can be started. */
export interface Release {
  name: string;
  folder: string;
  digest: string;
  commit: string;
}

export const releasesOf = (root: string): string => join(root, "infra", "releases");

export async function readRecord(root: string): Promise<ReleaseRecord> {
  const file = join(releasesOf(root), "last.json");
  return parseFile(releaseRecord, file, await readFile(file, "utf8"));
}

/** Whether the repository's history holds a commit; a shallow clone mostly does not. */
export async function hasCommit(root: string, commit: string): Promise<boolean> {
  return git(root, "cat-file", "-e", `${commit}^{commit}`).then(
    () => true,
    () => false,
  );
}

export async function git(root: string, ...args: string[]): Promise<string> {
  return (await run("git", args, { cwd: root, maxBuffer: 1 << 26 })).stdout.trim();
}

/** All that an artefact is built from. */
const sources = ["apps", "packages", "package.json", "tsconfig.base.json"];

/**
 * Build the artefact of a commit by that commit's own build, from its own sources, with the packages that are installed today.
 * Kept in `.fleet/releases`, below the installed packages so that they are found, until they or the commit change.
 */
export async function buildCommit(root: string, commit: string): Promise<Release> {
  const lock = createHash("sha256")
    .update(await readFile(join(root, "package-lock.json")))
    .digest("hex");
  const kept = join(root, ".fleet", "releases");
  const folder = join(kept, `${commit.slice(0, 12)}-${lock.slice(0, 8)}`);
  const known = await builtIn(folder);
  if (known === undefined) {
    await mkdir(kept, { recursive: true });
    for (const old of await readdir(kept)) await rm(join(kept, old), { recursive: true, force: true });
    const draft = `${folder}.${process.pid}`;
    await mkdir(draft, { recursive: true });
    const tar = join(draft, "sources.tar");
    await git(root, "archive", `--output=${tar}`, commit, "--", ...sources);
    await run("tar", ["-xf", tar, "-C", draft]);
    await rm(tar);
    await linkWorkspaces(draft);
    await run(process.execPath, [join(draft, "apps/cell-api/build.ts")], { cwd: draft });
    await rename(draft, folder);
  }
  const digest = known ?? (await builtIn(folder));
  if (digest === undefined) throw new Error(`the build of ${commit} left no artefact in ${folder}`);
  return { name: "N-1", folder: join(folder, "apps/cell-api/dist/artefact"), digest, commit };
}

async function builtIn(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, "apps/cell-api/dist/artefact.json"), "utf8").catch(
    () => undefined,
  );
  return text === undefined ? undefined : z.object({ digest: z.string() }).parse(JSON.parse(text)).digest;
}

/** Our own packages are the commit's, whatever is installed. */
async function linkWorkspaces(folder: string): Promise<void> {
  const scope = join(folder, "node_modules");
  for (const group of ["apps", "packages"]) {
    for (const name of await readdir(join(folder, group))) {
      const text = await readFile(join(folder, group, name, "package.json"), "utf8").catch(() => undefined);
      if (text === undefined) continue;
      const link = join(scope, z.object({ name: z.string() }).parse(JSON.parse(text)).name);
      await mkdir(join(link, ".."), { recursive: true });
      await symlink(relative(join(link, ".."), join(folder, group, basename(name))), link);
    }
  }
}
