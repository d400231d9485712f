import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, parseFile, replaceableSnapshot } from "@proveniq/contracts";
import { openRedisWriter } from "@proveniq/tenant-context/directory/redis-writer";
import { RefusedError } from "../refused.ts";
import { type DirectoryTarget, readable, UnreadableDirectory } from "./directory-target.ts";
import { type EdgeConfigAccess, edgeConfigTarget } from "./edge-config.ts";

/**
 * A target by its name: a `redis://` or `rediss://` URL, the id of an Edge Config (`ecfg_…`), else a file. An Edge Config
 * takes `access`; one that is named by the address at which clients read it is refused: that token can only read.
 */
export function openTarget(name: string, access?: EdgeConfigAccess): DirectoryTarget {
  if (/^rediss?:\/\//.test(name)) return redisTarget(name);
  if (/^ecfg_[a-z0-9]+$/i.test(name)) {
    if (access !== undefined) return edgeConfigTarget(name, access);
    throw new RefusedError(
      "to write to an Edge Config takes a token of its platform's REST API: put it into EDGE_CONFIG_API_TOKEN (and its team into EDGE_CONFIG_TEAM)",
    );
  }
  if (/^https?:/.test(name))
    throw new RefusedError(
      "an Edge Config is named by its id (ecfg_…), not by the address at which clients read it",
    );
  if (/^[a-z]+:\/\//.test(name))
    throw new RefusedError(`"${name}" is neither a file, a redis:// URL nor an Edge Config's id`);
  return fileTarget(name);
}

/** A snapshot as a JSON file. Readers see the old file or the new one, also after a crash. */
export function fileTarget(file: string): DirectoryTarget {
  let digest: string | undefined;
  return {
    name: file,
    digest: () => digest,
    capped: false,
    read: async () => {
      let text: string;
      digest = undefined;
      try {
        text = await readFile(file, "utf8");
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      }
      digest = createHash("sha256").update(text).digest("hex");
      return readable(() => parseFile(replaceableSnapshot, file, text));
    },
    setAside: async () => {
      const aside = `${file}.unreadable-${new Date().toISOString().replaceAll(":", "-")}`;
      await rename(file, aside);
      return aside;
    },
    write: (snapshot) => replaceFile(file, `${JSON.stringify(snapshot, null, 2)}\n`),
    close: () => undefined,
  };
}

function redisTarget(url: string): DirectoryTarget {
  const { protocol, host, pathname } = new URL(url);
  const name = `${protocol}//${host}${pathname}`;
  const redis = openRedisWriter(url);
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      const reason = messageOf(error);
      throw new Error(`${name} does not answer: ${reason}`, { cause: error });
    }
  };
  return {
    name,
    capped: false,
    read: async () => {
      const found = await told(redis.read());
      if (found === undefined || "version" in found) return found;
      throw new UnreadableDirectory(`${name} holds no directory: ${found.fault}`);
    },
    setAside: () => told(redis.setAside()),
    write: (snapshot) => told(redis.write(snapshot)),
    close: () => redis.close(),
  };
}

async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  try {
    const handle = await open(draft, "wx");
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
