import { connect, createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type Billed, BilledCall } from "./operations.ts";
import { Messages } from "./wire.ts";

export type { Billed } from "./operations.ts";

/** A gRPC proxy in front of a Firestore that counts what Google would bill for the calls that pass. */
export interface BillingProxy {
  /** `127.0.0.1:port`, where clients connect. */
  readonly host: string;
  /** All that was counted since the start, or since `reset`. */
  billed(): Billed;
  reset(): void;
  close(): Promise<void>;
}

const window = 64 * 1024 * 1024;
const settings = { maxSessionMemory: 1_000, settings: { initialWindowSize: window } };

/** Start one. `target`: `host:port` of the emulator. It understands HTTP/2 alone; it is for counting and not for measuring rates. */
export async function startBillingProxy(target: string): Promise<BillingProxy> {
  const sum: Billed = { reads: 0, writes: 0, deletes: 0 };
  // Nobody is held back: a call that waits would hold up those that share its connection. What is under way fits into memory.
  const upstream = connect(`http://${target}`, settings);
  upstream.on("connect", () => upstream.setLocalWindowSize(window));
  upstream.on("error", () => undefined);
  const sessions = new Set<{ destroy(): void }>();
  const server: Http2Server = createServer(settings);
  server.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(window);
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (incoming: ServerHttp2Stream, headers) => {
    const call = new BilledCall(String(headers[":path"]));
    const outgoing = upstream.request({ ...headers, ":authority": target });
    const [asked, told] = [new Messages(), new Messages()];
    let ended = false;
    const finish = (trailers: Record<string, unknown>) => {
      if (ended || trailers["grpc-status"] !== "0") return;
      ended = true;
      const { reads, writes, deletes } = call.end();
      sum.reads += reads;
      sum.writes += writes;
      sum.deletes += deletes;
    };
    incoming.on("data", (part: Buffer) => {
      for (const message of asked.push(part)) call.request(message);
      outgoing.write(part);
    });
    incoming.on("end", () => outgoing.end());
    let trailers: Record<string, string | string[] | undefined> = {};
    outgoing.on("response", (answered) => {
      // A call that fails at once is answered by headers alone.
      const endStream = answered["grpc-status"] !== undefined;
      incoming.respond(answered, endStream ? { endStream } : { waitForTrailers: true });
      incoming.on("wantTrailers", () => incoming.sendTrailers(trailers));
    });
    outgoing.on("trailers", (sent) => {
      trailers = Object.fromEntries(Object.entries(sent));
      finish(sent);
    });
    outgoing.on("data", (part: Buffer) => {
      for (const message of told.push(part)) call.answer(message);
      incoming.write(part);
    });
    outgoing.on("end", () => incoming.end());
    incoming.on("error", () => outgoing.close());
    outgoing.on("error", () => incoming.close());
    incoming.on("aborted", () => outgoing.close());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");
  return {
    host: `127.0.0.1:${address.port}`,
    billed: () => ({ ...sum }),
    reset() {
      Object.assign(sum, { reads: 0, writes: 0, deletes: 0 });
    },
    async close() {
      for (const session of sessions) session.destroy();
      upstream.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
