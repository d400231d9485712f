import type { IncomingMessage, ServerResponse } from "node:http";
import { headers, importLimits, type ProblemCode } from "@proveniq/contracts";
import { type AccessLine, clientGone } from "@proveniq/contracts/access-line";
import {
  type ClientError,
  type EdgeExchange,
  headFault,
  problemText,
  requestIdOf,
  type Sockets,
  traceOf,
} from "@proveniq/http-edge";
import { describeError, type Logger } from "../log.ts";

/** How a request ended that the app did not answer, or too late. */
export type Ending = Pick<AccessLine, "status" | "problem" | "failure">;

/** What all calls of a server share. */
export interface CallContext {
  sockets: Sockets;
  /** The app, as a listener of Node's HTTP. */
  listener(incoming: IncomingMessage, outgoing: ServerResponse): unknown;
  logger: Logger;
}

const calls = new WeakMap<IncomingMessage, Call>();

/** The call that a request is; undefined for one that came by no server of ours. */
export const callOf = (incoming: IncomingMessage | undefined): Call | undefined =>
  incoming === undefined ? undefined : calls.get(incoming);

/** One request and its answer by the app, and what is known of it outside the app. */
export class Call implements EdgeExchange {
  readonly #context: CallContext;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  #ids: { requestId: string; traceId: string } | undefined;
  /** Why the server itself ended it, where the app's answer came too late. */
  #endedAs: Ending | undefined;
  #brokenBy: ClientError | undefined;
  #begun = false;
  #over = false;
  #atEnd: (() => void) | undefined;

  constructor(context: CallContext, incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#context = context;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    calls.set(incoming, this);
  }

  get received(): boolean {
    return this.#incoming.complete;
  }

  /** The server itself has answered it, without the app. */
  get answered(): boolean {
    return this.#endedAs !== undefined;
  }

  /** The app has seen it, and tells of it under these ids. */
  seen(ids: { requestId: string; traceId: string }): void {
    this.#ids = ids;
  }

  /** Call `tell` once the answer has been written, or its client has gone: only then it is known how the request ended. */
  tellAtEnd(tell: () => void): void {
    if (this.#over) tell();
    else this.#atEnd = tell;
  }

  /** Whether it has ended before the app answered it, and as what. */
  get ending(): Ending | undefined {
    if (this.#endedAs !== undefined) return this.#endedAs;
    // The socket has closed under the request: there is nobody to answer.
    const { destroyed, writableEnded } = this.#outgoing;
    return destroyed && !writableEnded ? { status: clientGone, failure: "client gone" } : undefined;
  }

  begin(): void {
    if (this.#over) return;
    this.#begun = true;
    if (this.#brokenBy !== undefined) return this.#breakOff(this.#brokenBy);
    const { headers: given, httpVersionMinor, rawHeaders } = this.#incoming;
    const fault = headFault(rawHeaders, httpVersionMinor === 1);
    // Where this request ends is anybody's guess: nothing after it is read.
    if (fault !== undefined) return this.#refuse("invalid-request", fault);
    // A client of HTTP/1.0 would take 100 for the answer.
    if (given.expect !== undefined && httpVersionMinor > 0) {
      if (given.expect.toLowerCase() !== "100-continue")
        return this.#refuse("invalid-request", "Expect is not supported.");
      // One that waits is not asked for what nobody would take.
      if (Number(given["content-length"] ?? 0) <= importLimits.chunkBytes) this.#outgoing.writeContinue();
    }
    void this.#serve();
  }

  breakOff(error: ClientError): void {
    this.#brokenBy = error;
    if (this.#begun) this.#breakOff(error);
  }

  stopReading(): void {
    this.#endedAs = { status: clientGone, failure: "client stopped reading" };
    if (this.#ids === undefined) this.#tell(this.#endedAs);
    this.#incoming.socket.destroy();
  }

  onFault(error: unknown): void {
    // What is written to a client that has gone fails as a matter of course.
    if (this.#over || this.#outgoing.destroyed) return;
    this.#context.logger.error({ ...this.#ids, error: describeError(error) }, "answer failed");
    if (this.#outgoing.headersSent) this.#incoming.socket.destroy();
    else this.#refuse("internal-error", "The cell failed.");
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#atEnd?.();
    if (!this.#begun) this.#tell({ status: clientGone, failure: "client gone" });
  }

  async #serve(): Promise<void> {
    try {
      await this.#context.listener(this.#incoming, this.#outgoing);
    } catch (error) {
      this.onFault(error);
    }
  }

  #breakOff(error: ClientError): void {
    const { socket } = this.#incoming;
    if (error.kind === "gone" || this.#outgoing.headersSent || this.#endedAs !== undefined) socket.destroy();
    else this.#refuse(error.problem, error.detail);
  }

  /** Answer it below Node's HTTP, and end the connection: there may be more to read than anybody will. */
  #refuse(code: ProblemCode, detail: string): void {
    const trace = traceOf(this.#header(headers.traceparent), undefined);
    const requestId = this.#ids?.requestId ?? requestIdOf(this.#header(headers.requestId));
    const traceId = this.#ids?.traceId ?? trace.traceId;
    const { status, text } = problemText(code, detail, { requestId, trace: { ...trace, traceId } });
    this.#context.sockets.refuse(this.#incoming.socket, text);
    this.#endedAs = { status, problem: code };
    // The app tells of what it has seen. What it is still to see it need not look at.
    if (this.#ids === undefined) this.#tell(this.#endedAs, { requestId, traceId });
  }

  #tell(ending: Ending, ids = this.#ids): void {
    const requestId = ids?.requestId ?? requestIdOf(this.#header(headers.requestId));
    const traceId = ids?.traceId ?? traceOf(this.#header(headers.traceparent), undefined).traceId;
    const { method } = this.#incoming;
    this.#context.logger.info({ requestId, traceId, method, ...ending }, "request ended outside the app");
  }

  #header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return typeof value === "string" ? value : undefined;
  }
}
