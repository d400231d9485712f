import type { IncomingMessage, ServerResponse } from "node:http";
import type { ProblemCode } from "@proveniq/contracts";
import { answerProblem, type ProblemAnswer, problemText, type Sockets } from "@proveniq/http-edge";
import { noteStreamed } from "./collect.ts";
import type { ResponseHead } from "./upstream/types.ts";

const shortBody = 4_096;

/** The answer to one request on its way to the client: a cell's, or a problem of the router's own. */
export class ClientAnswer {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #sockets: Sockets;
  readonly #onDrain: () => void;
  #waitsForDrain = false;
  /** The answer was written to the bare socket. */
  #bare = false;

  /** `onDrain`: the client has room again, after `body` has given false. */
  constructor(req: IncomingMessage, res: ServerResponse, sockets: Sockets, onDrain: () => void) {
    this.#req = req;
    this.#res = res;
    this.#sockets = sockets;
    this.#onDrain = onDrain;
  }

  /** Something of it has been sent: it is too late for another. */
  get begun(): boolean {
    return this.#bare || this.#res.headersSent;
  }

  /** All of it has been written. */
  get written(): boolean {
    return this.#bare || this.#res.writableFinished;
  }

  /** Nobody is there to take one. */
  get lost(): boolean {
    return this.#res.destroyed || this.#req.socket.destroyed;
  }

  head(head: ResponseHead): void {
    this.#res.writeHead(head.status, head.reason, head.headers);
  }

  /** A piece of a cell's answer; it is copied. False: no more until `onDrain`. */
  body(piece: Buffer, last: boolean): boolean {
    const res = this.#res;
    if (last) {
      // One write instead of two: head and body as one string.
      if (piece.length <= shortBody) res.end(piece.toString("latin1"), "latin1");
      else res.end(Buffer.from(piece));
      return true;
    }
    noteStreamed(piece.length);
    if (res.write(Buffer.from(piece))) return true;
    if (!this.#waitsForDrain) {
      this.#waitsForDrain = true;
      res.on("drain", this.#onDrain);
    }
    return false;
  }

  end(): void {
    if (!this.#res.writableEnded) this.#res.end();
  }

  /** It cannot be completed: only a broken connection tells the client. */
  breakOff(): void {
    const { socket, httpVersionMinor } = this.#req;
    // To HTTP/1.0 an answer lasts until the connection ends: only a reset is no end. In the middle of its own end Node would lose a
    // socket that it should reset: no event, and the descriptor stays.
    if (httpVersionMinor === 0 && !socket.writableEnded) socket.resetAndDestroy();
    else socket.destroy();
  }

  /** Cut the connection, whatever has been sent. */
  cut(): void {
    this.#req.socket.destroy();
  }

  /** A problem instead of an answer. `close`: the connection ends with it. Gives the status. */
  problem(problem: ProblemCode, detail: string, ids: ProblemAnswer, close: boolean): number {
    if (!close || this.#req.complete) return answerProblem(this.#res, problem, detail, { ...ids, close });
    // Through Node's response the connection would close at once, and be reset, as there is more to read: the client could
    // not read its answer.
    const { status, text } = problemText(problem, detail, ids);
    this.#bare = true;
    this.#sockets.refuse(this.#req.socket, text);
    return status;
  }
}
