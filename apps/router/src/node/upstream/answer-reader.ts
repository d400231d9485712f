import { ChunkedDecoder } from "./chunked.ts";
import { parseResponseHead } from "./response-head.ts";
import type { ResponseHandler, ResponseHead } from "./types.ts";

const maxHeadBytes = 32 * 1024;
const maxInterimAnswers = 8;

/** What became of a piece: `surplus` is `done` with bytes behind it that nobody asked for; `stopped`: nobody listens any more. */
export type Progress =
  | { state: "more" | "full" | "done" | "surplus" | "stopped" }
  | { state: "malformed"; message: string };

const more: Progress = { state: "more" };
const full: Progress = { state: "full" };
const done: Progress = { state: "done" };
const surplus: Progress = { state: "surplus" };
const stopped: Progress = { state: "stopped" };
const malformed = (message: string): Progress => ({ state: "malformed", message });

/** Reads the answer to one request, interim answers included, and tells its handler. Knows no socket. */
export class AnswerReader {
  readonly #bodiless: boolean;
  readonly #handler: ResponseHandler;
  #partialHead: Buffer | undefined;
  #interim = 0;
  #head: ResponseHead | undefined;
  #left = 0;
  #chunks: ChunkedDecoder | undefined;
  #full = false;
  #stopped = false;

  /** `bodiless`: the request was a HEAD. */
  constructor(bodiless: boolean, handler: ResponseHandler) {
    this.#bodiless = bodiless;
    this.#handler = handler;
  }

  /** Of the final answer, once it is here. */
  get head(): ResponseHead | undefined {
    return this.#head;
  }

  /** Not a byte of an answer has come. */
  get untouched(): boolean {
    return this.#head === undefined && this.#partialHead === undefined && this.#interim === 0;
  }

  /** Nobody listens any more: tell the handler nothing, also not of what is left of a piece under way. */
  stop(): void {
    this.#stopped = true;
  }

  /** The next bytes of the connection. `full`: the handler wants no more for now; the piece has been passed on all the same. */
  read(piece: Buffer): Progress {
    this.#full = false;
    const progress = this.#head === undefined ? this.#readHead(piece) : this.#readBody(this.#head, piece);
    if (this.#stopped) return stopped;
    return progress.state === "more" && this.#full ? full : progress;
  }

  #readHead(piece: Buffer): Progress {
    let bytes = this.#partialHead === undefined ? piece : Buffer.concat([this.#partialHead, piece]);
    this.#partialHead = undefined;
    for (;;) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end > maxHeadBytes || (end === -1 && bytes.length > maxHeadBytes))
        return malformed("the answer's head is too large");
      if (end === -1) {
        if (bytes.length > 0) this.#partialHead = Buffer.from(bytes);
        return more;
      }
      const head = parseResponseHead(bytes.toString("latin1", 0, end), this.#bodiless);
      if (head === undefined || head.status === 101) return malformed("the answer's head is malformed");
      bytes = bytes.subarray(end + 4);
      if (head.status >= 200) return this.#begin(head, bytes);
      this.#interim += 1;
      if (this.#interim > maxInterimAnswers) return malformed("too many interim answers");
    }
  }

  #begin(head: ResponseHead, rest: Buffer): Progress {
    this.#head = head;
    this.#left = head.length;
    this.#chunks = head.framing === "chunked" ? new ChunkedDecoder() : undefined;
    this.#handler.onHead(head);
    if (this.#stopped) return stopped;
    if (head.framing === "none") return rest.length > 0 ? surplus : done;
    return rest.length > 0 ? this.#readBody(head, rest) : more;
  }

  #readBody({ framing }: ResponseHead, piece: Buffer): Progress {
    if (framing === "length") {
      const own = piece.length > this.#left ? piece.subarray(0, this.#left) : piece;
      this.#left -= own.length;
      this.#emit(own, this.#left === 0);
      if (this.#left > 0) return more;
      return own.length < piece.length ? surplus : done;
    }
    if (this.#chunks !== undefined) {
      const decoded = this.#chunks.decode(piece, (part) => this.#emit(part, false));
      if (decoded.state === "error") return malformed("the answer's chunks are malformed");
      if (decoded.state === "more") return more;
      return decoded.used < piece.length ? surplus : done;
    }
    this.#emit(piece, false);
    return more;
  }

  #emit(piece: Buffer, last: boolean): void {
    if (!this.#stopped && !this.#handler.onBody(piece, last) && !last) this.#full = true;
  }
}
