import type { ClientHttp2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { type Billed, BilledCall } from "./operations.ts";
import { foundIn, type Production } from "./production.ts";
import { Messages } from "./wire.ts";

export interface Carrier {
  target: string;
  connected(): ClientHttp2Session;
  count(billed: Billed): void;
  production: Production | undefined;
}

/** Calls whose client goes on sending after the first answer: they cannot be looked at whole before they are handed on. */
const twoWay = new Set(["Listen", "Write"]);

/** Carry one call to the database and its answer back, and count it once it has ended well. */
export function carry(incoming: ServerHttp2Stream, headers: IncomingHttpHeaders, carrier: Carrier): void {
  const path = String(headers[":path"]);
  const method = path.slice(path.lastIndexOf("/") + 1);
  const { production } = carrier;
  const call = new BilledCall(path);
  const outgoing = carrier.connected().request({ ...headers, ":authority": carrier.target });
  const [asked, told] = [new Messages(), new Messages()];
  // The whole of a request is looked at first where it may be refused.
  const whole = production !== undefined && !twoWay.has(method);
  const held: Buffer[] = [];
  const found: string[] = [];
  let request: Buffer = Buffer.alloc(0);
  let ended = false;
  const finish = (trailers: Record<string, unknown>) => {
    if (ended || trailers["grpc-status"] !== "0") return;
    ended = true;
    carrier.count(call.end());
    production?.ended(method, request, found);
  };
  incoming.on("data", (part: Buffer) => {
    for (const message of asked.push(part)) {
      request = message;
      call.request(message);
    }
    if (whole) held.push(part);
    else outgoing.write(part);
  });
  incoming.on("end", () => {
    const refused = whole ? production.refusal(method, request) : undefined;
    if (refused !== undefined) {
      outgoing.close();
      refuse(incoming, refused.code, refused.message);
      return;
    }
    for (const part of held) outgoing.write(part);
    outgoing.end();
  });
  let trailers: Record<string, string | string[] | undefined> = {};
  outgoing.on("response", (answered) => {
    if (incoming.headersSent || incoming.destroyed) return;
    // A call that fails at once is answered by headers alone.
    const endStream = answered["grpc-status"] !== undefined;
    incoming.respond(answered, endStream ? { endStream } : { waitForTrailers: true });
    incoming.on("wantTrailers", () => incoming.sendTrailers(trailers));
  });
  outgoing.on("trailers", (sent) => {
    trailers = Object.fromEntries(Object.entries(sent));
    finish(sent);
  });
  const delay = production?.delayOf(method) ?? 0;
  const soon = (action: () => void) => {
    if (delay === 0) action();
    else setTimeout(() => incoming.destroyed || action(), delay);
  };
  outgoing.on("data", (part: Buffer) => {
    for (const message of told.push(part)) {
      call.answer(message);
      production?.answered(method, message);
      if (production !== undefined) found.push(...foundIn(method, message));
    }
    soon(() => incoming.write(part));
  });
  outgoing.on("end", () => soon(() => incoming.end()));
  incoming.on("error", () => outgoing.close());
  outgoing.on("error", () => incoming.close());
  incoming.on("aborted", () => outgoing.close());
}

function refuse(incoming: ServerHttp2Stream, code: number, message: string): void {
  incoming.respond(
    {
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-status": String(code),
      "grpc-message": encodeURIComponent(message),
    },
    { endStream: true },
  );
}
