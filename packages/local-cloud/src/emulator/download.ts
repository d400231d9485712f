import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { LocalConfig } from "../config.ts";
import { type EmulatorJar, findEmulatorJar } from "./jar.ts";

const run = promisify(execFile);
const withinMs = 300_000;

/** What a person can do when no emulator is found. */
export const emulatorAdvice =
  "Install it with `gcloud components install cloud-firestore-emulator` (or the package google-cloud-cli-firestore-emulator), " +
  "or with `npx firebase-tools setup:emulators:firestore`, or set FIRESTORE_EMULATOR_JAR to the jar.";

/** The emulator of this machine; with none, the Firebase CLI is asked once to download it (60 MB). */
export async function obtainEmulatorJar(config: LocalConfig): Promise<EmulatorJar> {
  const found = await findEmulatorJar(config);
  if (found !== undefined) return found;
  let cause: unknown;
  try {
    await run("npx", ["--yes", "firebase-tools", "setup:emulators:firestore"], {
      env: config.inherited,
      timeout: withinMs,
    });
  } catch (error) {
    cause = error;
  }
  const downloaded = await findEmulatorJar(config);
  if (downloaded !== undefined) return downloaded;
  throw new Error(
    `No Firestore emulator was found, and the Firebase CLI could not download one. ${emulatorAdvice}`,
    { cause },
  );
}
