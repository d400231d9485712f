const maxLine = 4_096;

/** What a decoder did with its input: `error` is final, `done` says where the message ended. */
export interface Decoded {
  state: "more" | "done" | "error";
  /** Bytes of the input that belong to the message. */
  used: number;
}

/**
 * Decoder of the chunked coding (RFC 9112, 7.1), strict: hex sizes, CRLF everywhere. Extensions are ignored, trailers
 * dropped; both are bounded.
 */
export class ChunkedDecoder {
  #state: "size" | "data" | "data-end" | "trailer" = "size";
  /** Of the chunk under way. */
  #left = 0;
  #line = "";

  /** Decode `input`; `emit` gets the pieces of the body, views into it. */
  decode(input: Buffer, emit: (piece: Buffer) => void): Decoded {
    let at = 0;
    while (at < input.length) {
      if (this.#state === "data") {
        const end = Math.min(input.length, at + this.#left);
        this.#left -= end - at;
        emit(input.subarray(at, end));
        at = end;
        if (this.#left === 0) this.#state = "data-end";
        continue;
      }
      const lf = input.indexOf(0x0a, at);
      const end = lf === -1 ? input.length : lf + 1;
      this.#line += input.toString("latin1", at, end);
      at = end;
      if (this.#line.length > maxLine) return { state: "error", used: at };
      if (lf === -1) return { state: "more", used: at };
      const line = this.#line;
      this.#line = "";
      if (!line.endsWith("\r\n") || line.indexOf("\r") !== line.length - 2)
        return { state: "error", used: at };
      const ended = this.#onLine(line);
      if (ended !== "more") return { state: ended, used: at };
    }
    return { state: "more", used: at };
  }

  /** @param line With its CRLF. */
  #onLine(line: string): Decoded["state"] {
    if (this.#state === "data-end") {
      this.#state = "size";
      return line === "\r\n" ? "more" : "error";
    }
    if (this.#state === "trailer") return line === "\r\n" ? "done" : "more";
    const match = /^([0-9a-fA-F]{1,8})[ \t]*(;[^\0]*)?\r\n$/.exec(line);
    if (match === null) return "error";
    this.#left = Number.parseInt(match[1] ?? "", 16);
    this.#state = this.#left === 0 ? "trailer" : "data";
    return "more";
  }
}
