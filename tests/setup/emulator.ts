import { createServer } from "node:net";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import type { TestProject } from "vitest/node";

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

/** A free port below the range from which the system takes the ports of outgoing connections. */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (await isFree(port)) return port;
  }
  throw new Error("no free port between 20000 and 30000");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
