import type { IncomingMessage, ServerResponse } from "node:http";
import { headers, isPreflight, type ProblemCode } from "@proveniq/contracts";
import { clientGone } from "@proveniq/contracts/access-line";
import { type ClientError, requestIdOf, type Trace, traceOf } from "@proveniq/http-edge";
import { type Decision, decide } from "../decide/index.ts";
import { type RequestHead, readRequestHead } from "../request-head.ts";
import { learnSuccessor } from "../successor.ts";
import { allowedInstead, answerHealth, answerPreflight, isHealth } from "./answer.ts";
import { cellHead, type Route } from "./cell-head.ts";
import { ClientAnswer } from "./client-answer.ts";
import {
  clientIdle,
  type ExchangeContext,
  headerOf,
  isSafe,
  routable,
  tooLarge,
} from "./exchange-context.ts";
import { failureProblems } from "./failures.ts";
import { emptyRecord, type RequestRecord } from "./log.ts";
import { dropRest, isReplayable, RequestBody } from "./request-body.ts";
import type { ResponseHandler, ResponseHead, UpstreamCall, UpstreamFailure } from "./upstream/types.ts";

/** One request and its answer: decided, sent to a cell, retried where that is safe, and recorded. */
export class Exchange implements ResponseHandler {
  readonly #context: ExchangeContext;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #answer: ClientAnswer;
  readonly #startedAt = performance.now();
  readonly #record: RequestRecord;
  #head: RequestHead | undefined;
  #trace: Trace | undefined;
  #route: Route | undefined;
  #body: RequestBody | undefined;
  #call: UpstreamCall | undefined;
  #movedOnce = false;
  #begun = false;
  #brokenBy: ClientError | undefined;
  #ended = false;

  constructor(context: ExchangeContext, req: IncomingMessage, res: ServerResponse) {
    this.#context = context;
    this.#req = req;
    this.#res = res;
    this.#answer = new ClientAnswer(req, res, context.sockets, () => this.#resume());
    this.#record = emptyRecord(req.method ?? "");
  }

  /** All of the request has arrived. */
  get received(): boolean {
    return this.#req.complete;
  }

  /** Read the head, decide, and go. Reserved headers from outside end here. */
  begin(): void {
    if (this.#ended) return;
    try {
      this.#begin();
    } catch (error) {
      this.onFault(error);
    }
  }

  #begin(): void {
    this.#begun = true;
    const { rawHeaders, url = "", httpVersionMajor, httpVersionMinor } = this.#req;
    const head = readRequestHead(url, httpVersionMinor === 1, rawHeaders);
    const readable = "problem" in head ? undefined : head;
    const trace = traceOf(readable?.traceparent, readable?.tracestate, this.#context.traceRatio);
    this.#trace = trace;
    if (trace.recorded) this.#record.spanId = trace.spanId;
    this.#record.parentSpanId = trace.parentSpanId;
    this.#record.requestId = requestIdOf(readable?.requestId);
    this.#record.traceId = trace.traceId;
    // Where a message ends is not sure after such a head.
    if ("problem" in head) return this.#refuse(head.problem, head.detail, true);
    if (httpVersionMajor !== 1) return this.#refuse("invalid-request", "Speak HTTP/1.1.", true);
    this.#head = head;
    this.#record.host = head.host;
    if (this.#brokenBy !== undefined) return this.#breakOff(this.#brokenBy);
    const health = isHealth(head.target);
    const allow = allowedInstead(this.#record.method, health);
    if (allow !== undefined) return this.#refuse("method-not-allowed", `Use one of ${allow}.`, false, allow);
    if (health) return this.#answerHealth();
    if (this.#record.method === "OPTIONS" && isPreflight("OPTIONS", (name) => headerOf(this.#req, name)))
      return this.#answerPreflight();
    this.#record.reason = "too-large";
    if (head.contentLength > this.#context.body.maxBytes) return this.#refuseSize();
    const decision = decide(routable(head), this.#context.directory, this.#context.proofs?.serves);
    if (decision instanceof Promise) void this.#late(decision);
    else this.#onDecision(decision);
  }

  async #late(decision: Promise<Decision>): Promise<void> {
    const detail = "The directory could not be read. Try again in a few seconds.";
    const made = await decision.catch(() => undefined);
    if (this.#ended) return;
    try {
      if (made === undefined) this.#refuse("directory-unavailable", detail);
      else this.#onDecision(made);
    } catch (error) {
      this.onFault(error);
    }
  }

  /** Time has passed without a byte of the body that is being read. */
  age(ms: number): void {
    if (this.#call === undefined && this.#body?.age(ms) === true) this.onFailure(clientIdle);
  }

  /** The client has gone in the middle of its body, or what came of it is no HTTP. */
  breakOff(error: ClientError): void {
    this.#brokenBy = error;
    if (this.#begun) this.#breakOff(error);
  }

  #breakOff(error: ClientError): void {
    this.#call?.abort();
    if (error.kind === "gone") return this.#lose("client gone");
    this.#record.failure = "malformed body";
    if (this.#answer.begun) this.#answer.breakOff();
    else this.#refuse(error.problem, error.detail, true);
  }

  /** The client has taken nothing of its answer for too long. */
  stopReading(): void {
    this.#lose("client stopped reading");
  }

  #lose(failure: string): void {
    this.#record.status = clientGone;
    this.#record.failure = failure;
    this.#answer.cut();
  }

  /** Our own code threw while it worked on this request: it ends, with its two connections, and nothing else does. */
  onFault(error: unknown): void {
    try {
      this.#context.onFault(error, this.#record.requestId);
      if (this.#ended) return;
      this.#record.failure = "fault of the router";
      this.#call?.abort();
      if (this.#answer.begun || this.#answer.lost) this.#answer.breakOff();
      else this.#refuse("internal-error", "The router failed.", true);
    } catch {
      this.#answer.cut();
    }
  }

  onHead(answer: ResponseHead): void {
    this.#record.cellMs = performance.now() - this.#startedAt;
    if (answer.status === 421 && this.#followSuccessor(answer)) return;
    answer.headers.push(headers.requestId, this.#record.requestId);
    if (this.#context.draining()) answer.headers.push("connection", "close");
    this.#record.status = answer.status;
    this.#answer.head(answer);
  }

  onBody(piece: Buffer, last: boolean): boolean {
    return this.#answer.body(piece, last);
  }

  #resume(): void {
    try {
      this.#call?.resume();
    } catch (error) {
      this.onFault(error);
    }
  }

  onEnd(): void {
    this.#call = undefined;
    this.#answer.end();
    this.#discardUnread();
  }

  onDrain(): void {
    this.#body?.resume();
  }

  onFailure(failure: UpstreamFailure): void {
    this.#call = undefined;
    if (this.#ended) return;
    this.#record.failure = `${failure.kind}: ${failure.message}`;
    if (this.#answer.begun) return this.#answer.breakOff();
    const { method, attempts } = this.#record;
    if (failure.stale && isSafe(method) && attempts < 2 && isReplayable(this.#body)) return this.#send();
    const [problem, detail] = failureProblems[failure.kind];
    this.#refuse(problem, detail);
  }

  #onDecision(decision: Decision): void {
    if (this.#ended || this.#answer.lost) return;
    this.#record.reason = decision.reason;
    if (decision.kind === "reject") return this.#refuse(decision.problem, decision.detail);
    this.#take(decision);
    const head = this.#head;
    if (head?.expectsContinue === true) this.#res.writeContinue();
    if (head === undefined || head.body === "none") return this.#send();
    this.#body = new RequestBody(this.#req, head, this.#context.body, {
      onReady: () => this.#send(),
      onPiece: (piece) => this.#call?.writeBody(piece) ?? true,
      onSent: () => this.#call?.endBody(),
      onTooLarge: () => this.#onTooLarge(),
      onFault: (error) => this.onFault(error),
    });
    this.#body.start();
  }

  #take(route: Route): void {
    this.#route = route;
    this.#record.tenantId = route.tenantId;
    this.#record.cell = route.cell.id;
    this.#record.service = route.bulk ? "bulk" : "api";
  }

  #send(): void {
    const route = this.#route;
    const head = this.#head;
    if (route === undefined || head === undefined || this.#answer.lost) return;
    this.#record.attempts += 1;
    const origin = route.bulk ? route.cell.bulk : route.cell.api;
    const request = {
      method: this.#record.method,
      tenant: route.tenantId,
      head: cellHead(route, head, origin, {
        method: this.#record.method,
        requestId: this.#record.requestId,
        trace: this.#trace ?? traceOf(undefined, undefined),
        proofs: this.#context.proofs,
      }),
      body: this.#body?.forUpstream(),
      contentLength: head.contentLength,
    };
    this.#call = this.#context.pools.send(origin, request, this);
    this.#body?.flow();
  }

  /** The cell no longer holds the tenant and says who does: learn it, and ask there once. */
  #followSuccessor(answer: ResponseHead): boolean {
    const route = this.#route;
    const head = this.#head;
    if (route === undefined || head === undefined) return false;
    const { directory, proofs } = this.#context;
    const learnt = learnSuccessor(directory, route, answer.successor);
    if (!learnt || this.#movedOnce || !isReplayable(this.#body)) return false;
    const decision = decide(routable(head), directory, proofs?.serves);
    if (decision instanceof Promise) return false;
    this.#movedOnce = true;
    this.#call?.abort();
    this.#record.reason = `moved-${decision.reason}`;
    if (decision.kind === "reject") this.#refuse(decision.problem, decision.detail);
    else {
      this.#take(decision);
      this.#send();
    }
    return true;
  }

  #answerHealth(): void {
    this.#record.reason = "health";
    this.#record.status = answerHealth(this.#res, {
      draining: this.#context.draining(),
      directoryVersion: this.#context.directory.hostTable()?.version ?? 0,
      requestId: this.#record.requestId,
    });
    this.#discardUnread();
  }

  #answerPreflight(): void {
    this.#record.reason = "preflight";
    this.#record.status = answerPreflight(this.#res, this.#record.requestId, this.#context.draining());
    this.#discardUnread();
  }

  #refuseSize(): void {
    this.#refuse("payload-too-large", tooLarge(this.#context.body.maxBytes));
  }

  #onTooLarge(): void {
    this.#call?.abort();
    this.#record.reason = "too-large";
    if (this.#answer.begun) this.#answer.breakOff();
    else this.#refuseSize();
  }

  /** @param ends The connection cannot carry another request. */
  #refuse(problem: ProblemCode, detail: string, ends = false, allow?: string): void {
    if (this.#ended || this.#answer.begun || this.#answer.lost) return;
    this.#record.problem = problem;
    const trace = this.#trace ?? traceOf(undefined, undefined);
    const ids = { requestId: this.#record.requestId, trace, allow };
    const waits = problem === "request-timeout" || this.#head?.expectsContinue === true;
    const close = ends || waits || this.#context.draining();
    this.#record.status = this.#answer.problem(problem, detail, ids, close);
    if (!close) this.#discardUnread();
    // What was written to the bare socket is all: the rest of its time only lets the client read it.
    else if (!this.#req.complete) this.end();
  }

  /** An answer has been given before the body came: read the rest away, so that the client sees the answer. */
  #discardUnread(): void {
    dropRest(this.#req, this.#body, this.#context.body);
  }

  /** The answer has been written, or its client has gone. Further calls do nothing. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#call?.abort();
    if (!this.#answer.written && this.#record.failure === undefined) {
      this.#record.status = clientGone;
      this.#record.failure = "client gone";
    }
    this.#record.totalMs = performance.now() - this.#startedAt;
    this.#context.onDone(this.#record);
  }
}
