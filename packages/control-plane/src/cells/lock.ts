import { z } from "zod";
import { RefusedError } from "../refused.ts";

/** The workspace by which the task graph knows a cell: `@proveniq/cell-<id>`. */
export interface CellWorkspace {
  name: string;
  version: string;
  private: true;
  /** What `turbo deploy --filter=@proveniq/cell-<id>` runs. */
  scripts: { deploy: string };
  dependencies: Record<string, string>;
}

export function cellWorkspace(id: string): CellWorkspace {
  return {
    name: `@proveniq/cell-${id}`,
    version: "0.1.0",
    private: true,
    scripts: { deploy: `fleet deploy ${id}` },
    dependencies: { "@proveniq/cell-api": "*" },
  };
}

const lockFile = z.looseObject({
  lockfileVersion: z.literal(3),
  packages: z.record(z.string(), z.unknown()),
});

/**
 * The text of package-lock.json with a cell's workspace in it, just as npm would write it, so that `npm ci` accepts it without
 * the network having been asked. Pure.
 */
export function addToLock(text: string, id: string): string {
  const { name, version, dependencies } = cellWorkspace(id);
  const folder = `infra/cells/${id}`;
  return withPackages(text, (packages) => ({
    ...packages,
    [folder]: { name, version, dependencies },
    [`node_modules/${name}`]: { resolved: folder, link: true },
  }));
}

/** The text of package-lock.json without a cell's workspace: what `addToLock` was given. Pure. */
export function removeFromLock(text: string, id: string): string {
  const gone = [`infra/cells/${id}`, `node_modules/${cellWorkspace(id).name}`];
  return withPackages(text, (packages) =>
    Object.fromEntries(Object.entries(packages).filter(([path]) => !gone.includes(path))),
  );
}

type Packages = Record<string, unknown>;

function withPackages(text: string, change: (packages: Packages) => Packages): string {
  const lock: object = JSON.parse(text);
  const parsed = lockFile.safeParse(lock);
  if (!parsed.success) {
    throw new RefusedError(
      "package-lock.json is not of lockfileVersion 3: run `npm install` with npm 10 or newer",
    );
  }
  const sorted = Object.entries(change(parsed.data.packages)).sort(([a], [b]) => a.localeCompare(b, "en"));
  return `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`;
}
