import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";

/** A request as it arrived at the cell, byte for byte (latin-1). `body` is decoded when it came in chunks. */
export interface SeenRequest {
  line: string;
  /** Lines of the head after the first, as written. */
  headers: string[];
  body: string;
  /** As it came, coding and all. */
  rawBody: string;
  connection: number;
}

/** Answer by hand: whatever is written to the socket reaches the router. */
export type Script = (request: SeenRequest, socket: Socket) => void;

/** A cell of bare sockets that answers by script, so that a test can send what no HTTP library would. */
export interface ScriptedCell {
  port: number;
  origin: string;
  /** As many as were asked for, this one first: a router sends to no two cells at one origin. */
  origins: string[];
  seen: SeenRequest[];
  /** Connections accepted so far, and those that are open. */
  accepted(): number;
  open(): number;
  /** Used for the requests to come. */
  script: Script;
  close(): Promise<void>;
}

export const plainAnswer =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"ok":true}';

/** Start one on so many free ports of 127.0.0.1. Without another script it answers 200 with a little JSON. */
export async function startScriptedCell(ports = 1): Promise<ScriptedCell> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const take = (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    serve(socket, accepted, cell);
  };
  const servers: Server[] = Array.from({ length: ports }, () => createServer(take));
  const listening = await Promise.all(servers.map(listen));
  const origins = listening.map((each) => `http://127.0.0.1:${each}`);
  const [port = 0] = listening;
  const cell: ScriptedCell = {
    port,
    origin: `http://127.0.0.1:${port}`,
    origins,
    seen: [],
    accepted: () => accepted,
    open: () => sockets.size,
    script: (_request, socket) => socket.write(plainAnswer),
    close: async () => {
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
  return cell;
}

function serve(socket: Socket, connection: number, cell: ScriptedCell): void {
  let bytes = "";
  socket.on("data", (piece: Buffer) => {
    bytes += piece.toString("latin1");
    for (let request = cut(bytes); request !== undefined; request = cut(bytes)) {
      bytes = bytes.slice(request.length);
      const seen = { ...request.request, connection };
      cell.seen.push(seen);
      cell.script(seen, socket);
    }
  });
}

/** The first complete request in `bytes`, with its length there. */
function cut(bytes: string): { request: Omit<SeenRequest, "connection">; length: number } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [line = "", ...headers] = bytes.slice(0, end).split("\r\n");
  const rest = bytes.slice(end + 4);
  const value = (name: string) =>
    headers
      .find((h) => h.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  if (value("transfer-encoding") !== undefined) {
    const stop = /(^|\r\n)0\r\n\r\n/.exec(rest);
    if (stop === null) return undefined;
    const rawBody = rest.slice(0, stop.index + stop[0].length);
    return { request: { line, headers, rawBody, body: decode(rawBody) }, length: end + 4 + rawBody.length };
  }
  const length = Number(value("content-length") ?? 0);
  if (rest.length < length) return undefined;
  const body = rest.slice(0, length);
  return { request: { line, headers, rawBody: body, body }, length: end + 4 + length };
}

function decode(chunks: string): string {
  let text = "";
  for (let at = 0; at < chunks.length; ) {
    const end = chunks.indexOf("\r\n", at);
    const size = Number.parseInt(chunks.slice(at, end), 16);
    if (!(size > 0)) break;
    text += chunks.slice(end + 2, end + 2 + size);
    at = end + 4 + size;
  }
  return text;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
