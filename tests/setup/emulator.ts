import { DatabasePool } from "@proveniq/db/pool";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import type { TestProject } from "vitest/node";
import { shareEnvironment } from "./environment.ts";
import { freePort } from "./ports.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** `host:port` of the one Firestore emulator that all emulator tests share; each file uses its own project id. */
    firestoreHost: string;
  }
}

/** One emulator for all emulator tests of a run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shareEnvironment();
  const emulator = await startEmulator({ port: await freePort(), heapMb: 512 });
  // The first call after the start takes its time on a busy machine; no test is about that.
  const pool = new DatabasePool({ projectId: "warm-up", allow: ["warm-up"], emulatorHost: emulator.host });
  await pool.ping("warm-up", 60_000);
  await pool.close();
  project.provide("firestoreHost", emulator.host);
  return () => emulator.stop();
}
