import { type ClientHttp2Session, connect, createServer, type Http2Server } from "node:http2";
import { carry } from "./carry.ts";
import type { Billed } from "./operations.ts";
import { Production, type ProductionOptions, type Traffic } from "./production.ts";
import type { HotRange } from "./ranges.ts";

export type { Billed } from "./operations.ts";
export type { ProductionOptions, Traffic } from "./production.ts";
export type { HotRange } from "./ranges.ts";

/** A gRPC proxy in front of a Firestore that counts what Google would bill for the calls that pass. */
export interface BillingProxy {
  /** `127.0.0.1:port`, where clients connect. */
  readonly host: string;
  /** All that was counted since the start, or since `reset`. */
  billed(): Billed;
  /** Under `production`: ranges that took more writes at a growing end than Firestore bears. */
  hot(): HotRange[];
  /** Under `production`: by tenant and collection. */
  traffic(): Traffic[];
  reset(): void;
  close(): Promise<void>;
}

const window = 64 * 1024 * 1024;
const settings = { maxSessionMemory: 1_000, settings: { initialWindowSize: window } };

export interface BillingOptions {
  /** Where to listen, on 127.0.0.1; a free port without it. */
  port?: number;
  /** Behave as Firestore does in production, and watch for what it bears badly. */
  production?: ProductionOptions;
}

/** Start one. `target`: `host:port` of the emulator. It understands HTTP/2 alone; it is for counting and not for measuring rates. */
export async function startBillingProxy(target: string, options: BillingOptions = {}): Promise<BillingProxy> {
  const sum: Billed = { reads: 0, writes: 0, deletes: 0 };
  const production = options.production === undefined ? undefined : new Production(options.production);
  let upstream: ClientHttp2Session | undefined;
  // Nobody is held back: a call that waits would hold up those that share its connection. What is under way fits into memory.
  const connected = () => {
    if (upstream !== undefined && !upstream.closed && !upstream.destroyed) return upstream;
    const session = connect(`http://${target}`, settings);
    session.on("connect", () => session.setLocalWindowSize(window));
    session.on("error", () => undefined);
    upstream = session;
    return session;
  };
  const count = ({ reads, writes, deletes }: Billed) => {
    sum.reads += reads;
    sum.writes += writes;
    sum.deletes += deletes;
  };
  const sessions = new Set<{ destroy(): void }>();
  const server: Http2Server = createServer(settings);
  server.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(window);
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (incoming, headers) =>
    carry(incoming, headers, { target, connected, count, production }),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");
  return {
    host: `127.0.0.1:${address.port}`,
    billed: () => ({ ...sum }),
    hot: () => production?.hot() ?? [],
    traffic: () => production?.traffic() ?? [],
    reset() {
      Object.assign(sum, { reads: 0, writes: 0, deletes: 0 });
      production?.reset();
    },
    async close() {
      for (const session of sessions) session.destroy();
      upstream?.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
