import { startEmulator } from "@proveniq/local-cloud/emulator";
import type { TestProject } from "vitest/node";
import { freePort } from "./ports.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** `host:port` of the one Firestore emulator that all emulator tests share; each file uses its own project id. */
    firestoreHost: string;
  }
}

/** One emulator for all emulator tests of a run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Inherited by the test processes: nobody is to look for Google's metadata server here.
  process.env["METADATA_SERVER_DETECTION"] = "none";
  const emulator = await startEmulator({ port: await freePort(), heapMb: 512 });
  project.provide("firestoreHost", emulator.host);
  return () => emulator.stop();
}
