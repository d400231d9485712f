import { cp, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../../../..", import.meta.url));

/** A folder with what npm and the loader read of the repository: manifests, the lock and every workspace's package.json; for tests. */
export async function scratchRepository(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "cells-"));
  const lock = JSON.parse(await readFile(join(repository, "package-lock.json"), "utf8")) as {
    packages: Record<string, unknown>;
  };
  const workspaces = Object.keys(lock.packages).filter((path) => !path.includes("node_modules"));
  const files = [
    ...workspaces.map((path) => join(path, "package.json")),
    "package-lock.json",
    "infra/fleet.json",
    "docs/fleet.md",
  ];
  const manifests = workspaces
    .filter((path) => path.startsWith("infra/cells/"))
    .map((p) => join(p, "cell.json"));
  for (const file of [...files, ...manifests]) {
    await cp(join(repository, file), join(root, file), { recursive: true });
  }
  return root;
}

/** Who signs people in within the EU, for cells that tests add. */
export const ownIssuer = {
  issuer: "https://id.example.eu/realms/proveniq",
  audience: "proveniq",
  jwks: "https://id.example.eu/realms/proveniq/protocol/openid-connect/certs",
  jurisdiction: "eu",
} as const;
