import type { IncomingMessage } from "node:http";
import { readAway } from "@proveniq/http-edge";
import type { RequestHead } from "../request-head.ts";
import { noteStreamed } from "./collect.ts";
import type { UpstreamRequest } from "./upstream/types.ts";

export interface BodyLimits {
  /** Larger bodies are refused with 413. */
  maxBytes: number;
  /** Up to here a body is read before it is sent, so that it can be sent again. */
  replayBytes: number;
  /** Milliseconds without a byte of a body that is being read. */
  idleMs: number;
  /** For so long what is left of a body is read away after its answer; then the connection is cut. */
  discardMs: number;
}

/** Who reads the body. */
export interface BodyReader {
  /** It is here in full, or too long to wait for: `forUpstream` says which. */
  onReady(): void;
  /** The next piece of a streamed body. False: wait until `resume`. */
  onPiece(piece: Buffer): boolean;
  onSent(): void;
  onTooLarge(): void;
  /** Our own code threw. */
  onFault(error: unknown): void;
}

/** Small pieces are put together when so many have gathered: each would cost more than its bytes. */
const maxPieces = 64;

/**
 * A request's body on its way to the cell. A small one is read in full first, so that it can be sent twice; a large
 * one is streamed once its first `replayBytes` are here, so that no drip takes up a connection to a cell. Its size is counted
 * whatever the client declared.
 */
export class RequestBody {
  readonly #req: IncomingMessage;
  readonly #limits: BodyLimits;
  readonly #reader: BodyReader;
  readonly #chunked: boolean;
  #state: "collecting" | "whole" | "streaming" | "dropped" = "collecting";
  #pieces: Buffer[] = [];
  #whole: Buffer | undefined;
  #bytes = 0;
  #stalledMs = 0;

  constructor(req: IncomingMessage, head: RequestHead, limits: BodyLimits, reader: BodyReader) {
    this.#req = req;
    this.#limits = limits;
    this.#reader = reader;
    this.#chunked = head.body === "chunked";
  }

  /** Begin to read. */
  start(): void {
    this.#req.on("data", (piece: Buffer) => this.#guard(() => this.#onPiece(piece)));
    this.#req.on("end", () => this.#guard(() => this.#onEnd()));
  }

  forUpstream(): UpstreamRequest["body"] {
    return this.#whole ?? (this.#chunked ? "streamed-chunked" : "streamed-length");
  }

  get replayable(): boolean {
    return this.#whole !== undefined;
  }

  /** Send on what has come until the upstream call stood. */
  flow(): void {
    if (this.#state !== "streaming") return;
    const pieces = this.#pieces;
    this.#pieces = [];
    for (const piece of pieces) this.#pass(piece);
  }

  resume(): void {
    if (this.#state === "streaming") this.#req.resume();
  }

  /** Nobody needs the rest any more. */
  drop(): void {
    this.#state = "dropped";
    this.#pieces = [];
  }

  /** True when nothing came for too long while the body is read in full. */
  age(ms: number): boolean {
    if (this.#state !== "collecting") return false;
    this.#stalledMs += ms;
    return this.#stalledMs > this.#limits.idleMs;
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#reader.onFault(error);
    }
  }

  #onPiece(piece: Buffer): void {
    this.#bytes += piece.length;
    this.#stalledMs = 0;
    noteStreamed(piece.length);
    if (this.#bytes > this.#limits.maxBytes) {
      this.#reader.onTooLarge();
      return;
    }
    if (this.#state === "streaming") this.#pass(piece);
    else if (this.#state === "collecting") {
      this.#pieces.push(piece);
      if (this.#pieces.length >= maxPieces) this.#pieces = [Buffer.concat(this.#pieces)];
      if (this.#bytes > this.#limits.replayBytes) this.#startStreaming();
    }
  }

  #startStreaming(): void {
    this.#state = "streaming";
    this.#reader.onReady();
  }

  #pass(piece: Buffer): void {
    if (!this.#reader.onPiece(piece)) this.#req.pause();
  }

  #onEnd(): void {
    if (this.#state === "streaming") this.#reader.onSent();
    else if (this.#state === "collecting") {
      this.#whole =
        this.#pieces.length === 1 && this.#pieces[0] !== undefined
          ? this.#pieces[0]
          : Buffer.concat(this.#pieces);
      this.#pieces = [];
      this.#state = "whole";
      this.#reader.onReady();
    }
  }
}

/** True when the request can be sent again: it has no body, or all of it is here. */
export function isReplayable(body: RequestBody | undefined): boolean {
  return body === undefined || body.replayable;
}

/** What is left of a request whose answer has been given: nobody needs it, whatever was to become of it. */
export function dropRest(req: IncomingMessage, body: RequestBody | undefined, limits: BodyLimits): void {
  if (req.complete) return;
  body?.drop();
  readAway(req, { bytes: limits.maxBytes, ms: limits.discardMs });
}
