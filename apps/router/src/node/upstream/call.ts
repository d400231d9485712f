import { AnswerReader } from "./answer-reader.ts";
import type { Connection } from "./connection.ts";
import type { ResponseHandler, UpstreamCall, UpstreamRequest } from "./types.ts";

/**
 * One request on one connection: what its asker holds. It owns the connection until the answer is complete, has failed or was
 * aborted; from then on everything on it does nothing, whoever the connection serves by then.
 */
export class Call implements UpstreamCall {
  readonly request: UpstreamRequest;
  readonly handler: ResponseHandler;
  readonly answer: AnswerReader;
  /** The whole request has been written. */
  sent = false;
  /** The asker is full: the connection is not read. */
  full = false;
  #connection: Connection | undefined;

  constructor(connection: Connection, request: UpstreamRequest, handler: ResponseHandler) {
    this.#connection = connection;
    this.request = request;
    this.handler = handler;
    this.answer = new AnswerReader(request.method === "HEAD", handler);
  }

  /** The connection is no longer this call's. Only the connection itself says so. */
  letGo(): void {
    this.#connection = undefined;
    this.answer.stop();
  }

  writeBody(piece: Buffer): boolean {
    return this.#connection?.writeBody(this, piece) ?? true;
  }

  endBody(): void {
    this.#connection?.endBody(this);
  }

  resume(): void {
    this.#connection?.resume(this);
  }

  abort(): void {
    this.#connection?.abort(this);
  }
}
