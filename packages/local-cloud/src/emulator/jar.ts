import { access, readdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type LocalConfig } from "../config.ts";
import { findOnPath } from "./java.ts";

/** A Firestore emulator on this machine and how it was found. */
export interface EmulatorJar {
  file: string;
  source: "FIRESTORE_EMULATOR_JAR" | "gcloud" | "firebase";
}

const inSdk = join("platform", "cloud-firestore-emulator", "cloud-firestore-emulator.jar");
const cacheName = /^cloud-firestore-emulator-v(\d+)\.(\d+)\.(\d+)\.jar$/;

/** The newest emulator among the file names of the Firebase CLI's cache. */
export function newestCached(names: readonly string[]): string | undefined {
  const rank = (name: string) => cacheName.exec(name)?.slice(1).map(Number) ?? [];
  return names
    .filter((name) => cacheName.test(name))
    .sort((a, b) => {
      const [left, right] = [rank(a), rank(b)];
      const at = left.findIndex((n, i) => n !== right[i]);
      return at === -1 ? 0 : (right[at] ?? 0) - (left[at] ?? 0);
    })[0];
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Look in the gcloud installations that this machine's launcher belongs to. */
async function inGcloud(config: LocalConfig): Promise<string | undefined> {
  const roots = config.gcloudRoot === undefined ? [] : [config.gcloudRoot];
  const launcher = await findOnPath("gcloud", config.path);
  // The launcher is <root>/bin/gcloud, and what is on PATH is mostly a link to it.
  if (launcher !== undefined) roots.push(dirname(dirname(await realpath(launcher))));
  for (const root of roots) {
    const file = join(root, inSdk);
    if (await exists(file)) return file;
  }
  return undefined;
}

async function inFirebaseCache(config: LocalConfig): Promise<string | undefined> {
  const folder = join(config.home, ".cache", "firebase", "emulators");
  const newest = newestCached(await readdir(folder).catch(() => []));
  return newest === undefined ? undefined : join(folder, newest);
}

/**
 * Find the Firestore emulator: named by hand, gcloud's component, the Firebase CLI's cache. `undefined` when there is none; a
 * jar named by hand that does not exist is an error, never passed over in silence.
 */
export async function findEmulatorJar(config: LocalConfig): Promise<EmulatorJar | undefined> {
  if (config.emulatorJar !== undefined) {
    if (!(await exists(config.emulatorJar))) {
      throw new Error(`FIRESTORE_EMULATOR_JAR names ${config.emulatorJar}, which does not exist.`);
    }
    return { file: config.emulatorJar, source: "FIRESTORE_EMULATOR_JAR" };
  }
  const gcloud = await inGcloud(config);
  if (gcloud !== undefined) return { file: gcloud, source: "gcloud" };
  const firebase = await inFirebaseCache(config);
  return firebase === undefined ? undefined : { file: firebase, source: "firebase" };
}
