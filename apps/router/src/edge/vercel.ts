import { openEdgeConfigDirectory } from "@proveniq/tenant-context/directory/edge-config";
import { readEdgeConfig } from "../config.ts";
import { createEdgeHandler } from "./handler.ts";

/** What the platform hands to middleware besides the request. */
interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

const log = (level: "info" | "warn", message: string, facts: Record<string, string | number>) => {
  // oxlint-disable-next-line no-console -- the console is the platform's log
  console[level](
    JSON.stringify({
      severity: level === "warn" ? "WARNING" : "INFO",
      time: new Date().toISOString(),
      message,
      ...facts,
    }),
  );
};

const { proofSecrets, ...source } = readEdgeConfig();
const directory = openEdgeConfigDirectory({ ...source, log });
const handle = createEdgeHandler({ directory, proofSecrets });

/** Vercel's middleware for the global hosts. Region hosts must not point here: it runs wherever the caller is. */
export default async function middleware(request: Request, context?: Context): Promise<Response> {
  await directory.ready();
  // A refresh that nobody waits for would be frozen with the function once the answer is out.
  context?.waitUntil(directory.settled());
  return handle(request);
}
