import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Board } from "./board.ts";
import { type Ask, bodyOf } from "./plan.ts";
import { type ReadRequest, RequestReader } from "./request-reader.ts";

/** A cell of bare sockets that answers each request as its plan says. */
export class ScriptedCell {
  readonly id: string;
  board: Board | undefined;
  readonly #server: Server;
  readonly #connections = new Set<CellConnection>();
  #accepted = 0;

  constructor(id: string) {
    this.id = id;
    this.#server = createServer((socket) => {
      const connection = new CellConnection(this, socket, (this.#accepted += 1));
      this.#connections.add(connection);
      socket.on("close", () => this.#connections.delete(connection));
    });
  }

  /** Gives the port. */
  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1", 511);
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** What connections are in the middle of: none of it has anybody any more once the clients are gone. */
  busy(): string[] {
    return [...this.#connections].map((c) => c.busy).filter((b) => b !== undefined);
  }

  /** End all connections. */
  reset(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  close(): void {
    this.#server.close();
    this.reset();
  }
}

class CellConnection {
  readonly #cell: ScriptedCell;
  readonly #socket: Socket;
  readonly #number: number;
  readonly #reader = new RequestReader(
    (request) => this.#onHead(request),
    (request) => this.#onWhole(request),
  );
  /** Whose request is being read, and whose answers are due, in order. */
  #reading: Ask | undefined;
  #due: Ask[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(cell: ScriptedCell, socket: Socket, number: number) {
    this.#cell = cell;
    this.#socket = socket;
    this.#number = number;
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", () => clearTimeout(this.#timer));
    socket.on("data", (piece: Buffer) => {
      try {
        this.#reader.push(piece);
      } catch (error) {
        this.#fault(`the router wrote to a cell what is no request: ${String(error)}`);
        socket.destroy();
      }
    });
  }

  get busy(): string | undefined {
    const [due] = this.#due;
    if (due !== undefined) return `${due.id} (${due.answer.name}) is not answered`;
    if (this.#reader.within) return `${this.#reading?.id ?? "a request"} has not come in full`;
    return this.#socket.writableLength > 0 ? "an answer is not taken" : undefined;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #fault(what: string): void {
    this.#cell.board?.fault(what);
  }

  #onHead({ line, headers }: ReadRequest): void {
    const id = headers.get("x-own") ?? "";
    const ask = this.#cell.board?.asks.get(id);
    this.#reading = ask;
    if (ask === undefined) {
      // Of a schedule that is over, whose client has gone; anything else was never asked.
      if (!id.startsWith("hunt-"))
        this.#fault(`a request that nobody sent reached a cell: ${line.slice(0, 80)}`);
      this.#socket.destroy();
      return;
    }
    this.#cell.board?.arrived(id, { cell: this.#cell.id, connection: this.#number });
    const target = `${ask.method} /v1/items?own=${id} HTTP/1.1`;
    if (line !== target) this.#fault(`${id}: arrived as ${JSON.stringify(line)}`);
    if (headers.get("x-tenant-id") !== ask.tenant) this.#fault(`${id}: arrived for another tenant`);
    if (headers.get("x-request-id") !== id) this.#fault(`${id}: arrived with another request id`);
    const before = this.#due.at(-1);
    if (before !== undefined && !before.answer.unsteady)
      this.#fault(`${id}: came on a connection on which ${before.id} is not answered yet`);
    if (ask.answer.from === "head") this.#answer(ask);
  }

  #onWhole({ body }: ReadRequest): void {
    const ask = this.#reading;
    this.#reading = undefined;
    if (ask === undefined) return;
    if (!body.equals(bodyOf(ask.id, ask.framing === "none" ? 0 : ask.bodyBytes)))
      this.#fault(`${ask.id}: its body arrived as another (${body.length} of ${ask.bodyBytes} bytes)`);
    if (ask.answer.from === "body") this.#answer(ask);
  }

  #answer(ask: Ask): void {
    this.#due.push(ask);
    if (this.#due.length === 1) this.#begin(ask);
  }

  #begin(ask: Ask): void {
    const { writes, end } = ask.answer;
    const moved =
      ask.answer.name === "move" && this.#cell.board?.seen.get(ask.id)?.[0]?.cell !== this.#cell.id;
    if (moved) {
      this.#socket.write(`HTTP/1.1 200 OK\r\nx-own: ${ask.id}\r\ncontent-length: 4\r\n\r\n`);
      this.#socket.write(bodyOf(ask.id, 4));
      this.#finish("keep");
    } else if (end !== "silent") this.#write(writes, 0, end);
  }

  #write(writes: Ask["answer"]["writes"], n: number, end: "keep" | "fin" | "rst"): void {
    const next = writes[n];
    if (this.#socket.destroyed) return;
    if (next === undefined) this.#finish(end);
    else if (next.afterMs === 0) {
      if (next.bytes.length > 0) this.#socket.write(next.bytes);
      this.#write(writes, n + 1, end);
    } else {
      this.#timer = setTimeout(() => {
        if (next.bytes.length > 0) this.#socket.write(next.bytes);
        this.#write(writes, n + 1, end);
      }, next.afterMs);
    }
  }

  #finish(end: "keep" | "fin" | "rst"): void {
    this.#due.shift();
    if (end === "fin") this.#socket.end();
    else if (end === "rst") this.#socket.resetAndDestroy();
    const [next] = this.#due;
    if (next !== undefined && end === "keep") this.#begin(next);
  }
}
